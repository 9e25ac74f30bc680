import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { driver, redisNotes } from "../../../../src/drivers/queue/rabbitmq/index.ts";
import { systemClock } from "../../../../src/fence/system.ts";
import { GIVES_NOTHING_WHEN_STOPPED, queueConformance } from "../../../../src/testing/queue-suite.ts";
import { recorded } from "../../../conformance/recorded.ts";
import { never, progressOf, startFirst } from "../../../../src/testing/queue-world.ts";
import { hasRedis, startRedis, type TestServer } from "../../fence/servers.ts";
import { hasQueueClients } from "../clients.ts";
import { hasRabbit, type RabbitServer, startRabbit } from "./server.ts";
import { rabbitWorld } from "./world.ts";

const NO_NUMBERS = "RabbitMQ numbers no message: only an empty queue is known to have settled anything";
const isHere = hasRabbit() && hasRedis() && hasQueueClients();

describe.skipIf(!isHere)("queue/rabbitmq on a real server", () => {
  let server: RabbitServer;
  let redis: TestServer;
  let client: Redis;
  beforeAll(async () => {
    [server, redis] = await Promise.all([startRabbit(), startRedis(["--appendonly", "no"])]);
    client = new Redis(redis.port, "127.0.0.1");
  }, 240_000);
  afterAll(async () => {
    client.disconnect();
    await Promise.all([server.stop(), redis.stop()]);
  });
  const inRedis = (prefix: string) => redisNotes("queue/rabbitmq", client, prefix);
  const waived = {
    [GIVES_NOTHING_WHEN_STOPPED]: "RabbitMQ has no pause: workers cancel when they read the pointer",
    "finds messages that come to the old queue after the watermark": NO_NUMBERS,
    "lets what was in flight when a consumer was stopped be settled, and counts it until it is": NO_NUMBERS,
  };
  const of = {
    port: "queue",
    product: "rabbitmq",
    against: "real",
    with: "RabbitMQ 3.10.8, notes in Redis 7.0.15",
  } as const;
  const record = recorded(of, it, waived);
  queueConformance(() => rabbitWorld(server, inRedis), record.it, waived);
  record.keep(async () => (await rabbitWorld(server, inRedis).open("server")).can);

  it("believes no number of a quorum queue that is older than the question", async () => {
    const world = rabbitWorld(server, inRedis, "quorum");
    const [queue, sluice] = [await world.queue("quorum"), await world.open("server")];
    await startFirst(sluice, queue, "blue");
    await world.produce(queue, ["1", "2", "3"]);
    await world.take(queue, "blue", 1);
    expect(await progressOf(sluice, queue, "blue")).toEqual({ settled: { "0": "0" }, inFlight: 1, waiting: 2 });
    await world.close();
  });

  it("lets what was in flight be settled after the stop, and is at an instant after its mark once it is empty", async () => {
    const world = rabbitWorld(server, inRedis);
    const [queue, sluice] = [await world.queue("drained"), await world.open("server")];
    await startFirst(sluice, queue, "blue");
    await world.produce(queue, ["1", "2"]);
    const mark = await sluice.end(queue, never);
    const given = await world.take(queue, "blue", 2);
    await sluice.stop(queue, "blue", 2, never);
    const before = await progressOf(sluice, queue, "blue");
    expect([before.inFlight, sluice.reaches(before.settled, mark)]).toEqual([2, false]);
    for (const one of given) await one.settle();
    const after = await progressOf(sluice, queue, "blue");
    expect([after.inFlight, sluice.reaches(after.settled, mark)]).toEqual([0, true]);
    await world.close();
  });

  it("says rejected of an address without a pointer, and unauthorized of a wrong password", async () => {
    const place = (url: string) => ({ url, secretFile: null });
    await expect(driver.open(place(server.managementUrl), systemClock)).rejects.toMatchObject({ code: "rejected" });
    const pointer = encodeURIComponent(`redis://127.0.0.1:${redis.port}`);
    const opened = await driver.open(place(`${server.managementUrl}/?pointer=${pointer}`), systemClock);
    await expect(opened.progress("jobs", "blue", never)).rejects.toMatchObject({
      code: "unauthorized",
      retry: "never",
    });
    await opened.close();
  });
});
