import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bullQueue, driver } from "../../../../src/drivers/queue/bullmq/index.ts";
import { systemClock } from "../../../../src/fence/system.ts";
import { queueConformance } from "../../../../src/testing/queue-suite.ts";
import { recorded } from "../../../conformance/recorded.ts";
import { never, progressOf, startFirst } from "../../../../src/testing/queue-world.ts";
import { hasRedis, startRedis, type TestServer } from "../../fence/servers.ts";
import { bullMq, hasQueueClients } from "../clients.ts";
import { bullWorld } from "./world.ts";

describe.skipIf(!hasRedis() || !hasQueueClients())("queue/bullmq on a real server", () => {
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
  const of = { port: "queue", product: "bullmq", against: "real", with: "BullMQ 6.7.0, Redis 7.0.15" } as const;
  const record = recorded(of, it);
  queueConformance(() => bullWorld(client, server.port), record.it);
  record.keep(async () => (await bullWorld(client, server.port).open("server")).can);

  it("pauses and resumes as BullMQ does: its own handle says so, and a job that waited meanwhile is given", async () => {
    const connection = { host: "127.0.0.1", port: server.port };
    const queue = new (bullMq().Queue)("paused", { connection });
    const worker = new (bullMq().Worker)("paused", null, { connection, autorun: false, skipStalledCheck: true });
    const sluice = bullQueue({ client, clock: systemClock });
    await queue.add("job", { body: "1" });
    expect(await progressOf(sluice, "paused", "anybody")).toMatchObject({ inFlight: 0, waiting: 1 });
    await sluice.stop("paused", "blue", 1, never);
    expect(await queue.isPaused()).toBe(true);
    expect(await worker.getNextJob("t", { block: false })).toBe(undefined);
    await startFirst(sluice, "paused", "green", 1);
    expect(await queue.isPaused()).toBe(false);
    expect((await worker.getNextJob("t", { block: true }))?.data).toEqual({ body: "1" });
    await worker.close();
    await queue.close();
  });

  it("takes the lock from whoever was given a job that somebody else is given now", async () => {
    const world = bullWorld(client, server.port);
    const [queue, sluice] = [await world.queue("zombie"), await world.open("server")];
    await startFirst(sluice, queue, "blue");
    await world.produce(queue, ["1"]);
    const [zombie] = await world.take(queue, "blue", 1);
    await sluice.stop(queue, "blue", 2, never);
    await startFirst(sluice, queue, "green", 2);
    const [heir] = await world.take(queue, "green", 1);
    expect(heir?.body).toBe("1");
    await expect(zombie?.settle()).rejects.toThrow(/lock/i);
    await heir?.settle();
    expect(await progressOf(sluice, queue, "green")).toEqual({ settled: { "0": "1" }, inFlight: 0, waiting: 0 });
    await world.close();
  });

  it("counts jobs of a priority and jobs whose delay is over as waiting, a job that is due tomorrow not", async () => {
    const connection = { host: "127.0.0.1", port: server.port };
    const queue = new (bullMq().Queue)("ranked", { connection });
    await queue.add("job", {}, { priority: 3 });
    await queue.add("job", {}, { delay: 1 });
    await queue.add("job", {}, { delay: 86_400_000 });
    await systemClock.sleep(20);
    const sluice = bullQueue({ client, clock: systemClock });
    expect(await progressOf(sluice, "ranked", "blue")).toEqual({ settled: { "0": "0" }, inFlight: 0, waiting: 2 });
    await queue.close();
  });

  it("finds BullMQ's prefix in the address", async () => {
    const connection = { host: "127.0.0.1", port: server.port };
    const queue = new (bullMq().Queue)("jobs", { connection, prefix: "mine" });
    await queue.add("job", {});
    const at = { url: `redis://127.0.0.1:${server.port}/0?prefix=mine`, secretFile: null };
    const sluice = await driver.open(at, systemClock);
    expect(await sluice.end("jobs", never)).toEqual({ "0": "1" });
    await sluice.close();
    await queue.close();
  });
});
