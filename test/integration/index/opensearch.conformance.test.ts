import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { driver } from "../../../src/drivers/index/opensearch/index.ts";
import { keptStamp } from "../../../src/drivers/index/stamp.ts";
import { systemClock } from "../../../src/host/system-clock.ts";
import { recorded } from "../../conformance/recorded.ts";
import { indexConformance, type IndexWorld } from "../../../src/testing/index-suite.ts";
import { anIndex, type FakeOpenSearch, SECRET, startFakeOpenSearch } from "./fake-opensearch.ts";

const clock = systemClock();
const signal = new AbortController().signal;

describe("index/opensearch against a fake of its documented API", () => {
  let fake: FakeOpenSearch;
  let folder: string;
  let secretFile: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "index-opensearch-"));
    secretFile = join(folder, "secret");
    writeFileSync(secretFile, `${SECRET}\n`);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    fake = await startFakeOpenSearch();
  });
  afterEach(() => fake.close());

  const open = (url = fake.url) => driver.open({ url, secretFile, clock });

  function world(): IndexWorld {
    return {
      open: () => open(),
      openAway: () => open("http://127.0.0.1:1"),
      async build(name, { count, metric, analyzer, indexHash }) {
        const space_type = metric === "l2" ? "l2" : "cosinesimil";
        const vector = { type: "knn_vector", dimension: 3, method: { name: "hnsw", space_type } };
        const properties = { embedding: vector, text: { type: "text", analyzer } };
        const built = { metric, analyzer, embedSchema: "e@1", builtAt: "2026-01-01T00:00:00Z", count };
        const meta = indexHash === null ? {} : { sluice_stamp: keptStamp({ indexHash, ...built }) };
        fake.indexes.set(name, anIndex({ count, properties, meta }));
      },
      moveBehind: async (alias, index) => void fake.aliases.set(alias, new Set([index])),
      prefix: "w",
      end: async () => {},
    };
  }
  const of = {
    port: "index",
    product: "opensearch",
    against: "fake",
    with: "its documented API (OpenSearch 2)",
  } as const;
  const record = recorded(of, it);
  indexConformance(world, record.it);
  record.keep(async () => ({ ...open().can }));

  it("tells metric, dimensions and analyzer of the mapping, of either product, and none of fields that differ", async () => {
    const dense = { type: "dense_vector", dims: 8, similarity: "dot_product" };
    fake.indexes.set("elastic", anIndex({ properties: { v: dense, body: { type: "text" } } }));
    const texts = { a: { type: "text", analyzer: "english" }, b: { type: "text", analyzer: "german" } };
    fake.indexes.set("texts", anIndex({ properties: texts }));
    const aliases = open();
    const elastic = { metric: "ip", dims: 8, analyzer: "standard", notReady: null };
    expect(await aliases.describe("elastic", signal)).toMatchObject(elastic);
    expect(await aliases.describe("texts", signal)).toMatchObject({ metric: null, dims: null, analyzer: null });
  });

  it.each([
    ["shards are missing", { health: "red" }, /red/],
    ["shards did not count", { failedShards: 2 }, /2 of its shards/],
  ])("is not ready while %s", async (_, more, notReady) => {
    fake.indexes.set("docs", anIndex(more));
    expect(await open().describe("docs", signal)).toMatchObject({ notReady: expect.stringMatching(notReady) });
  });

  it("never leaves two members, refuses a name that has them, and sees both hashes through it", async () => {
    for (const name of ["v1", "v2"])
      await world().build(name, { count: 1, metric: "l2", analyzer: "w", indexHash: `${name.slice(1)}`.repeat(64) });
    const aliases = open();
    await aliases.flip({ alias: "live", from: null, to: "v1", epoch: 1 }, signal);
    await aliases.flip({ alias: "live", from: "v1", to: "v2", epoch: 2 }, signal);
    expect([...fake.aliases.get("live")!]).toEqual(["v2"]);
    fake.aliases.get("live")!.add("v1");
    const flip = { alias: "live", from: "v2", to: "v1", epoch: 3 };
    await expect(aliases.flip(flip, signal)).rejects.toMatchObject({ code: "rejected", message: /v2 and v1/ });
    await expect(aliases.readAlias("live", signal)).rejects.toMatchObject({
      message: /remove the alias from all but one/,
    });
  });

  it("moves nothing when the alias is taken away between reading and writing", async () => {
    for (const name of ["v1", "v2", "v3"]) fake.indexes.set(name, anIndex());
    const aliases = open();
    await aliases.flip({ alias: "live", from: null, to: "v1", epoch: 1 }, signal);
    fake.between.run = () => void fake.aliases.set("live", new Set(["v3"]));
    const result = await aliases.flip({ alias: "live", from: "v1", to: "v2", epoch: 2 }, signal);
    expect(result).toMatchObject({ kind: "refused", found: { index: "v3" } });
    expect([...fake.aliases.get("live")!]).toEqual(["v3"]);
  });

  it("refuses names that mean several, and takes an alias for no index", async () => {
    fake.indexes.set("docs", anIndex());
    fake.aliases.set("live", new Set(["docs"]));
    const aliases = open();
    for (const name of ["docs,live", "*", "_all", "-docs", "a/b"]) {
      await expect(aliases.describe(name, signal)).rejects.toMatchObject({ code: "rejected", retry: "never" });
      await expect(aliases.readAlias(name, signal)).rejects.toMatchObject({ code: "rejected", retry: "never" });
    }
    expect(await aliases.describe("live", signal)).toBeNull();
    expect(await aliases.readThrough("docs", signal)).toEqual([]);
  });

  it("reads nothing through a name whose index answers with no document", async () => {
    fake.indexes.set("empty", anIndex({ count: 0 }));
    fake.aliases.set("live", new Set(["empty"]));
    expect(await open().readThrough("live", signal)).toEqual([]);
  });

  it("says unauthorized with another secret, and tells none", async () => {
    const other = join(folder, "other");
    writeFileSync(other, "admin:wrong-password");
    const error: unknown = await driver
      .open({ url: fake.url, secretFile: other, clock })
      .readAlias("live", signal)
      .catch((one: unknown) => one);
    expect(error).toMatchObject({ code: "unauthorized", retry: "never" });
    expect(String(error)).not.toContain("wrong-password");
  });
});
