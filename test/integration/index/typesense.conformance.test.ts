import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { keptStamp } from "../../../src/drivers/index/stamp.ts";
import { driver } from "../../../src/drivers/index/typesense/index.ts";
import { systemClock } from "../../../src/host/system-clock.ts";
import type { IndexAliases } from "../../../src/ports/index-alias.ts";
import { indexConformance, type IndexWorld } from "../../../src/testing/index-suite.ts";
import { recorded } from "../../conformance/recorded.ts";
import { hasRedis, startRedis, type TestServer } from "../fence/servers.ts";
import { API_KEY, type FakeTypesense, startFakeTypesense } from "./fake-typesense.ts";

const clock = systemClock();
const signal = new AbortController().signal;
const COSINE = { name: "embedding", type: "float[]", num_dim: 3 };
/** Typesense has no l2: an index that is searched so elsewhere says no one metric here. */
const TWO = [COSINE, { ...COSINE, name: "other", vec_dist: "ip" }];

describe.skipIf(!hasRedis())("index/typesense against a fake of its documented API, epochs in a real Redis", () => {
  let fake: FakeTypesense;
  let redis: TestServer;
  let folder: string;
  let secretFile: string;
  let worlds = 0;
  let opened: IndexAliases[] = [];
  beforeAll(async () => {
    redis = await startRedis(["--appendonly", "no"]);
    folder = mkdtempSync(join(tmpdir(), "index-typesense-"));
    secretFile = join(folder, "key");
    writeFileSync(secretFile, `${API_KEY}\n`);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await redis.stop();
  });
  beforeEach(async () => {
    fake = await startFakeTypesense();
  });
  afterEach(async () => {
    for (const one of opened) await one.close();
    opened = [];
    await fake.close();
  });

  const epochs = () => encodeURIComponent(`redis://127.0.0.1:${redis.port}`);
  function open(url = fake.url, at = secretFile as string | null): IndexAliases {
    const found = driver.open({ url: `${url}/?epochs=${epochs()}`, secretFile: at, clock });
    opened.push(found);
    return found;
  }

  function world(): IndexWorld {
    return {
      open: () => open(),
      openAway: () => open("http://127.0.0.1:1"),
      async build(name, { count, metric, analyzer, indexHash }) {
        const built = { metric, analyzer, embedSchema: "e@1", builtAt: "2026-01-01T00:00:00Z", count };
        const metadata = indexHash === null ? null : { sluice_stamp: keptStamp({ indexHash, ...built }) };
        fake.collections.set(name, { count, fields: metric === "l2" ? TWO : [COSINE], metadata });
      },
      moveBehind: async (alias, index) => void fake.aliases.set(alias, index),
      prefix: `t${++worlds}`,
      end: async () => {},
    };
  }
  const of = {
    port: "index",
    product: "typesense",
    against: "fake",
    with: "its documented API (Typesense 30)",
  } as const;
  const record = recorded(of, it);
  indexConformance(world, record.it);
  record.keep(async () => ({ ...open().can }));

  it("takes an alias for no index, though Typesense answers for it, and points no name to one", async () => {
    fake.collections.set("docs", { count: 1, fields: [COSINE], metadata: null });
    fake.aliases.set("shown", "docs");
    expect(await open().describe("shown", signal)).toBeNull();
    expect(await open().readThrough("docs", signal)).toEqual([]);
    const flip = { alias: "other", from: null, to: "shown", epoch: 1 };
    expect(await open().flip(flip, signal)).toMatchObject({ kind: "refused" });
  });

  it("reads nothing through an alias whose collection was deleted", async () => {
    fake.aliases.set("dangling", "deleted");
    expect(await open().readAlias("dangling", signal)).toMatchObject({ index: "deleted", epoch: null });
    expect(await open().readThrough("dangling", signal)).toEqual([]);
  });

  it("says unauthorized without the key, and rejected of an address without epochs", async () => {
    await expect(open(fake.url, null).readAlias("live", signal)).rejects.toMatchObject({ code: "unauthorized" });
    expect(() => driver.open({ url: fake.url, secretFile, clock })).toThrow(/says no epochs/);
  });
});
