import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redisFence } from "../../../../src/drivers/fence/redis/index.ts";
import { systemClock } from "../../../../src/fence/system.ts";
import { fenceConformance, type FenceWorld } from "../../../../src/testing/fence-suite.ts";
import { hasRedis, startRedis, type TestServer } from "../servers.ts";

describe.skipIf(!hasRedis())("fence/redis on a real server", () => {
  let server: TestServer;
  const clients: Redis[] = [];
  let worlds = 0;
  beforeAll(async () => {
    server = await startRedis();
    for (let count = 0; count < 2; count++)
      clients.push(new Redis(server.port, "127.0.0.1", { enableAutoPipelining: true }));
  });
  afterAll(async () => {
    for (const client of clients) client.disconnect();
    await server.stop();
  });

  let handles = 0;
  const open = (shards: number) =>
    redisFence({ client: clients[handles++ % 2] as Redis, shards, prefix: `f${shards}` });
  for (const shards of [1, 7]) {
    describe(`with ${shards} shard(s)`, () => {
      function world(): FenceWorld {
        return {
          open: () => open(shards),
          advance: (ms) => systemClock.sleep(ms),
          prefix: `w${++worlds}`,
          leaseMs: 400,
        };
      }
      fenceConformance(world, it);
    });
  }

  it("accepts appendfsync always with noeviction, and refuses everysec or eviction unless it is opened relaxed", async () => {
    const client = clients[0] as Redis;
    expect((await redisFence({ client }).check()).kind).toBe("durable");
    for (const [name, lax, strict] of [
      ["appendfsync", "everysec", "always"],
      ["maxmemory-policy", "allkeys-lru", "noeviction"],
    ] as const) {
      await client.config("SET", name, lax);
      await expect(redisFence({ client }).check()).rejects.toMatchObject({ code: "rejected", retry: "never" });
      expect((await redisFence({ client, durability: "relaxed" }).check()).kind).toBe("relaxed");
      await client.config("SET", name, strict);
    }
  });

  it("sends its scripts again to a server that forgot them", async () => {
    const client = clients[0] as Redis;
    await client.script("FLUSH");
    const claim = {
      scope: "flush",
      key: "k",
      fingerprint: "",
      attemptId: "a",
      leaseMs: 1_000,
      effectKey: null,
      note: "",
    };
    expect(await redisFence({ client }).claim({ ...claim, kind: "work", observed: null })).toMatchObject({
      kind: "held",
    });
  });

  it("says unreachable, safe to send again, when the server is gone", async () => {
    const client = new Redis(1, "127.0.0.1", { maxRetriesPerRequest: 0, retryStrategy: () => null });
    client.on("error", () => {});
    await expect(redisFence({ client }).read("s", "k")).rejects.toMatchObject({ code: "unreachable", retry: "safe" });
    client.disconnect();
  });
});
