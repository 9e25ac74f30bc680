import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { driver, redisCache } from "../../../../src/drivers/cache/redis/index.ts";
import { systemClock } from "../../../../src/fence/system.ts";
import { cacheConformance, type CacheWorld } from "../../../../src/testing/cache-suite.ts";
import { recorded } from "../../../conformance/recorded.ts";
import { never } from "../../../../src/testing/queue-world.ts";
import { freePort } from "../../../free-port.ts";
import { hasRedis, startRedis, type TestServer } from "../../fence/servers.ts";
import { type SilentServer, startSilent } from "../../queue/silent.ts";

describe.skipIf(!hasRedis())("cache/redis on a real server", () => {
  let server: TestServer;
  let client: Redis;
  let worlds = 0;
  beforeAll(async () => {
    server = await startRedis(["--appendonly", "no", "--maxmemory-policy", "allkeys-lfu"]);
    client = new Redis(server.port, "127.0.0.1");
  });
  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  /** Every other entry is a hash, the rest are JSON. */
  async function put(key: string, index: number, entry: { writtenBy: string | null; question: string | null }) {
    const noted = Object.entries({ written_by: entry.writtenBy, question: entry.question }).flatMap(([name, value]) =>
      value === null ? [] : [[name, value] as const],
    );
    if (index % 2 === 0) await client.hset(key, { answer: "x".repeat(40), ...Object.fromEntries(noted) });
    else await client.set(key, JSON.stringify({ answer: "x", ...Object.fromEntries(noted) }));
  }

  function world(): CacheWorld {
    const prefix = `w${++worlds}-`;
    const silent: SilentServer[] = [];
    return {
      async open(at) {
        if (at === "server") return redisCache({ client, clock: systemClock });
        if (at === "silent") silent.push(await startSilent());
        const port = at === "silent" ? silent.at(-1)?.port : await freePort();
        return driver.open({ url: `redis://127.0.0.1:${port}`, secretFile: null }, systemClock);
      },
      namespace: (end) => prefix + end,
      async put(namespace, keys, entry) {
        await Promise.all(keys.map((key, index) => put(namespace + key, index, entry)));
      },
      async close() {
        for (const one of silent) await one.close();
      },
    };
  }
  const of = { port: "cache", product: "redis", against: "real", with: "Redis 7.0.15" } as const;
  const record = recorded(of, it);
  cacheConformance(world, record.it);
  record.keep(async () => (await world().open("server")).can);

  it("removes a namespace a few keys at a time and never asks for KEYS", async () => {
    await client.config("RESETSTAT");
    const pipeline = client.pipeline();
    for (let index = 0; index < 30_000; index++) pipeline.set(`big:${index}`, "x");
    await pipeline.exec();
    const sizes: number[] = [];
    const counting = {
      async call(command: string, ...args: (string | number)[]) {
        if (command === "UNLINK") sizes.push(args.length);
        return client.call(command, ...args);
      },
    };
    expect(await redisCache({ client: counting, clock: systemClock }).purge("big:", null, never)).toBe(30_000);
    expect(sizes.length).toBeGreaterThan(20);
    expect(Math.max(...sizes)).toBeLessThan(2_000);
    expect(await client.info("commandstats")).not.toContain("cmdstat_keys:");
  });

  it("lists first what was asked most, where the server counts", async () => {
    for (const key of ["seldom", "often", "never"]) await client.set(`lfu:${key}`, "x");
    for (let times = 0; times < 3_000; times++) await client.get("lfu:often");
    expect((await redisCache({ client, clock: systemClock }).topKeys("lfu:", 1, never))[0]).toBe("often");
  });
});
