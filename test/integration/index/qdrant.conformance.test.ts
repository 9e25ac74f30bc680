import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { driver } from "../../../src/drivers/index/qdrant/index.ts";
import { keptStamp } from "../../../src/drivers/index/stamp.ts";
import { systemClock } from "../../../src/host/system-clock.ts";
import { recorded } from "../../conformance/recorded.ts";
import { indexConformance, type IndexWorld } from "../../../src/testing/index-suite.ts";
import { aCollection, API_KEY, type FakeQdrant, startFakeQdrant } from "./fake-qdrant.ts";

const clock = systemClock();
const signal = new AbortController().signal;
const HASH = "4".repeat(64);

function metadataOf(indexHash: string | null, metric: string, analyzer: string, count: number) {
  const built = { metric, analyzer, embedSchema: "e@1", builtAt: "2026-01-01T00:00:00Z", count };
  return indexHash === null ? {} : { sluice_stamp: keptStamp({ indexHash, ...built }) };
}

describe("index/qdrant against a fake of its documented API", () => {
  let fake: FakeQdrant;
  let folder: string;
  let secretFile: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "index-qdrant-"));
    secretFile = join(folder, "key");
    writeFileSync(secretFile, `${API_KEY}\n`);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    fake = await startFakeQdrant();
  });
  afterEach(() => fake.close());

  const open = (url = fake.url) => driver.open({ url, secretFile, clock });

  function world(): IndexWorld {
    return {
      open: () => open(),
      openAway: () => open("http://127.0.0.1:1"),
      async build(name, { count, metric, analyzer, indexHash }) {
        const vectors = { size: 3, distance: metric === "l2" ? "Euclid" : "Cosine" };
        fake.collections.set(
          name,
          aCollection({ count, vectors, metadata: metadataOf(indexHash, metric, analyzer, count) }),
        );
      },
      moveBehind: async (alias, index) => void fake.aliases.set(alias, index),
      prefix: "w",
      end: async () => {},
    };
  }
  const of = { port: "index", product: "qdrant", against: "fake", with: "its documented API (Qdrant 1.17)" } as const;
  const record = recorded(of, it);
  indexConformance(world, record.it);
  record.keep(async () => ({ ...open().can }));

  it.each([
    ["its optimisers run", { status: "yellow" }, /status is yellow/],
    ["updates wait in its queue", { queue: 12 }, /12 updates wait/],
    ["its optimiser failed", { optimizer: { error: "disk full" } }, /disk full/],
  ])("is not ready while %s", async (_, more, notReady) => {
    fake.collections.set("docs", aCollection({ count: 2, ...more }));
    const facts = await open().describe("docs", signal);
    expect(facts).toMatchObject({ count: 2, metric: "cosine", dims: 3, notReady: expect.stringMatching(notReady) });
  });

  it("takes an alias for no index, though the server answers for it, and tells no metric of two that differ", async () => {
    const two = { text: { size: 3, distance: "Cosine" }, image: { size: 5, distance: "Dot" } };
    fake.collections.set("docs", aCollection({ vectors: two }));
    fake.aliases.set("live", "docs");
    const aliases = open();
    expect(await aliases.describe("live", signal)).toBeNull();
    expect(await aliases.describe("docs", signal)).toMatchObject({ metric: null, dims: null });
    expect(await aliases.readThrough("docs", signal)).toEqual([]);
    const flip = { alias: "other", from: null, to: "live", epoch: 1 };
    expect(await aliases.flip(flip, signal)).toMatchObject({ kind: "refused" });
  });

  it("never removes the alias before it is made anew", async () => {
    for (const name of ["v1", "v2"])
      fake.collections.set(name, aCollection({ metadata: metadataOf(HASH, "cosine", "w", 0) }));
    const aliases = open();
    await aliases.flip({ alias: "live", from: null, to: "v1", epoch: 1 }, signal);
    await aliases.flip({ alias: "live", from: "v1", to: "v2", epoch: 2 }, signal);
    expect(fake.asked.filter((one) => one.startsWith("DELETE"))).toEqual([]);
    expect(fake.asked.filter((one) => one === "POST /collections/aliases")).toHaveLength(2);
  });

  it("goes on with a flip whose writer died after its claim, and lets a newer one pass", async () => {
    for (const name of ["v1", "v2", "v3"]) fake.collections.set(name, aCollection());
    const aliases = open();
    await aliases.flip({ alias: "live", from: null, to: "v1", epoch: 1 }, signal);
    const records = fake.collections.get("sluice_index_alias")!.points;
    const [id] = [...records.keys()];
    records.set(id!, { index: "v2", epoch: 2, previous: "v1", alias: "live" });
    expect(await aliases.readAlias("live", signal)).toMatchObject({ index: "v1" });
    expect(await aliases.flip({ alias: "live", from: "v1", to: "v2", epoch: 2 }, signal)).toEqual({ kind: "moved" });
    expect(fake.aliases.get("live")).toBe("v2");
    records.set(id!, { index: "v1", epoch: 3, previous: "v2", alias: "live" });
    expect(await aliases.flip({ alias: "live", from: "v2", to: "v3", epoch: 4 }, signal)).toEqual({ kind: "moved" });
    expect(await aliases.readAlias("live", signal)).toEqual({ index: "v3", epoch: 4, previous: "v2" });
  });

  it("says unauthorized without the key, and rejected to an address of another product", async () => {
    const bare = driver.open({ url: fake.url, secretFile: null, clock });
    await expect(bare.readAlias("live", signal)).rejects.toMatchObject({ code: "unauthorized", retry: "never" });
    await expect(open(`${fake.url}/elsewhere`).readAlias("live", signal)).rejects.toMatchObject({ code: "rejected" });
    expect(() => driver.open({ url: "http://user:secret@127.0.0.1", secretFile: null, clock })).toThrow(
      /use secretFile/,
    );
  });
});
