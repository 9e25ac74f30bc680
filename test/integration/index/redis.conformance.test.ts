import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { driver, redisIndexAliases } from "../../../src/drivers/index/redis/index.ts";
import { keptStamp } from "../../../src/drivers/index/stamp.ts";
import { systemClock } from "../../../src/host/system-clock.ts";
import { recorded } from "../../conformance/recorded.ts";
import { indexConformance, type IndexWorld } from "../../../src/testing/index-suite.ts";
import { hasRedis, startRedis, type TestServer } from "../fence/servers.ts";

const clock = systemClock();
const signal = new AbortController().signal;

describe.skipIf(!hasRedis())("index/redis on a real server", () => {
  let server: TestServer;
  let folder: string;
  const clients: Redis[] = [];
  let worlds = 0;
  beforeAll(async () => {
    server = await startRedis();
    folder = mkdtempSync(join(tmpdir(), "index-redis-"));
    for (let count = 0; count < 2; count++) clients.push(new Redis(server.port, "127.0.0.1"));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    for (const client of clients) client.disconnect();
    await server.stop();
  });

  const url = () => `redis://127.0.0.1:${server.port}`;
  let handles = 0;
  const open = () => redisIndexAliases({ client: clients[handles++ % 2] as Redis });

  async function build(index: string, { count, metric, analyzer, indexHash }: Parameters<IndexWorld["build"]>[1]) {
    const built = { metric, analyzer, embedSchema: "e@1", builtAt: "2026-01-01T00:00:00Z", count };
    const stamp = indexHash === null ? {} : keptStamp({ indexHash, ...built });
    await clients[0]!.set(`sluice-index:index:${index}`, JSON.stringify({ COUNT: count, DIMS: 3, ...stamp }));
  }

  function world(): IndexWorld {
    return {
      open,
      openAway: () => driver.open({ url: "redis://127.0.0.1:1", secretFile: null, clock }),
      build,
      async moveBehind(alias, index) {
        const key = `sluice-index:alias:${alias}`;
        const record = JSON.parse((await clients[0]!.get(key)) ?? "{}") as object;
        await clients[0]!.set(key, `${JSON.stringify({ ...record, index }, null, 1)}\n`);
      },
      prefix: `w${++worlds}`,
      end: async () => {},
    };
  }
  const of = { port: "index", product: "redis", against: "real", with: "Redis 7.0.15" } as const;
  const record = recorded(of, it);
  indexConformance(world, record.it);
  record.keep(async () => ({ ...open().can }));

  it("IX-5: keeps the name of a store without aliases under one key, and rejects a second writer", async () => {
    for (const index of ["blue", "green", "other"]) {
      await build(index, { count: 1, metric: "cosine", analyzer: "words", indexHash: "5".repeat(64) });
    }
    await open().flip({ alias: "pointer", from: null, to: "blue", epoch: 1 }, signal);
    const [first, second] = [open(), open()];
    const found = await Promise.all([first.readAlias("pointer", signal), second.readAlias("pointer", signal)]);
    expect(found.map((target) => target?.index)).toEqual(["blue", "blue"]);
    expect(await first.flip({ alias: "pointer", from: "blue", to: "green", epoch: 2 }, signal)).toEqual({
      kind: "moved",
    });
    const late = await second.flip({ alias: "pointer", from: "blue", to: "other", epoch: 3 }, signal);
    expect(late).toMatchObject({ kind: "refused", found: { index: "green", epoch: 2, previous: "blue" } });
    expect(await clients[0]!.get("sluice-index:alias:pointer")).toBe('{"index":"green","epoch":2,"previous":"blue"}');
  });

  it("refuses to go on from records that somebody wrote in another form", async () => {
    await clients[0]!.set("sluice-index:alias:odd", "docs_v1");
    await clients[0]!.set("sluice-index:index:odd", '{"rows": 3}');
    await expect(open().readAlias("odd", signal)).rejects.toMatchObject({ code: "rejected", retry: "never" });
    await expect(open().describe("odd", signal)).rejects.toMatchObject({ code: "rejected", retry: "never" });
  });

  it("is opened by an address and a password in a file, and says unauthorized with another one", async () => {
    const guarded = await startRedis();
    const owner = new Redis(guarded.port, "127.0.0.1");
    await owner.config("SET", "requirepass", "fake-password");
    owner.disconnect();
    const secretFile = join(folder, "password");
    const place = { url: `redis://127.0.0.1:${guarded.port}`, secretFile, clock };
    try {
      const early = driver.open(place);
      await expect(early.readAlias("live", signal)).rejects.toMatchObject({ code: "unauthorized", retry: "never" });
      writeFileSync(secretFile, "fake-password\n");
      expect(await early.readAlias("live", signal)).toBeNull();
      await early.close();
      const bare = driver.open({ ...place, secretFile: null });
      await expect(bare.readAlias("live", signal)).rejects.toMatchObject({ code: "unauthorized", retry: "never" });
      await bare.close();
    } finally {
      await guarded.stop();
    }
  });

  it("says that it is not ready what its builder says, and has no metric of its own", async () => {
    const key = "sluice-index:index:building";
    await clients[0]!.set(key, JSON.stringify({ COUNT: 2, NOT_READY: "mutation 7 is not processed" }));
    const aliases = driver.open({ url: url(), secretFile: null, clock });
    const facts = { count: 2, metric: null, stamp: null, notReady: "mutation 7 is not processed" };
    expect(await aliases.describe("building", signal)).toMatchObject(facts);
    await aliases.close();
  });
});
