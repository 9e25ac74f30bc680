import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redisStreams } from "../../../../src/drivers/queue/redis-streams/index.ts";
import { queueConformance } from "../../../../src/testing/queue-suite.ts";
import { recorded } from "../../../conformance/recorded.ts";
import { never, progressOf, startFirst } from "../../../../src/testing/queue-world.ts";
import { hasRedis, startRedis, type TestServer } from "../../fence/servers.ts";
import { redisWorld } from "./world.ts";

describe.skipIf(!hasRedis())("queue/redis-streams on a real server", () => {
  let server: TestServer;
  let client: Redis;
  beforeAll(async () => {
    server = await startRedis(["--appendonly", "no"]);
    client = new Redis(server.port, "127.0.0.1");
  });
  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });
  const of = { port: "queue", product: "redis-streams", against: "real", with: "Redis 7.0.15" } as const;
  const record = recorded(of, it);
  queueConformance(() => redisWorld(client), record.it);
  record.keep(async () => (await redisWorld(client).open("server")).can);

  it("gives nothing to a worker that already waits for messages when its group is stopped", async () => {
    const driver = redisStreams({ client, prefix: "waits" });
    await startFirst(driver, "waits", "blue");
    const worker = client.duplicate();
    const given = worker.call("XREADGROUP", "GROUP", "blue", "w", "BLOCK", 700, "STREAMS", "waits", ">");
    await client.ping();
    await driver.stop("waits", "blue", 2, never);
    await client.xadd("waits", "*", "body", "1");
    expect(await given).toBeNull();
    expect(await progressOf(driver, "waits", "blue")).toEqual({ settled: { "0": "0-0" }, inFlight: 0, waiting: 1 });
    worker.disconnect();
  });

  it("is at the end of a stream whose last entries were deleted unread", async () => {
    const driver = redisStreams({ client, prefix: "deleted" });
    await startFirst(driver, "deleted", "blue");
    await client.xdel("deleted", (await client.xadd("deleted", "*", "body", "1")) as string);
    const mark = await driver.end("deleted", never);
    const { settled, waiting } = await progressOf(driver, "deleted", "blue");
    expect([driver.reaches(settled, mark), waiting]).toEqual([true, 0]);
  });

  it("says rejected, never again, of a key that is no stream and of a pointer that is no record", async () => {
    const driver = redisStreams({ client, prefix: "foreign" });
    await client.set("text", "x");
    await expect(driver.end("text", never)).rejects.toMatchObject({ code: "rejected", retry: "never" });
    await client.hset("foreign:pointer:p", "record", '{"epoch":1}');
    await expect(driver.readPointer("p", never)).rejects.toMatchObject({ code: "rejected", retry: "never" });
  });
});
