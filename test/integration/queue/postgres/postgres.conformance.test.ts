import type pg from "pg";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { driver, postgresQueue, queueTables } from "../../../../src/drivers/queue/postgres/index.ts";
import { systemClock } from "../../../../src/fence/system.ts";
import { queueConformance } from "../../../../src/testing/queue-suite.ts";
import { recorded } from "../../../conformance/recorded.ts";
import { never, progressOf, startFirst } from "../../../../src/testing/queue-world.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../../fence/servers.ts";
import { postgresWorld } from "./world.ts";

describe.skipIf(!hasPostgres())("queue/postgres on a real server", () => {
  let server: PostgresServer;
  let pool: pg.Pool;
  beforeAll(async () => {
    server = await startPostgres();
    pool = server.connect();
    const open = () => postgresQueue({ client: pool, clock: systemClock });
    await Promise.all([1, 2, 3].map(() => open().migrate())); // All at once, as processes do.
  });
  afterAll(async () => {
    await pool.end();
    await server.stop();
  });
  const of = { port: "queue", product: "postgres", against: "real", with: "PostgreSQL 15" } as const;
  const record = recorded(of, it);
  queueConformance(() => postgresWorld(pool), record.it);
  record.keep(async () => (await postgresWorld(pool).open("server")).can);

  it("takes a watermark that no message can slip under: it waits for a writer whose position is lower", async () => {
    const queue = postgresQueue({ client: pool, clock: systemClock });
    await startFirst(queue, "slip", "blue");
    const slow = await pool.connect();
    await slow.query("begin");
    await queueTables(slow).produce("slip", ["low, not committed"]);
    await queueTables(pool).produce("slip", ["high"]);
    let mark: unknown = null;
    const taken = queue.end("slip", never).then((found) => {
      mark = found;
    });
    await sleep(150);
    expect(mark).toBe(null);
    await slow.query("commit");
    slow.release();
    await taken;
    const worker = queueTables(pool);
    const given = await worker.take("slip", "blue", 9);
    expect(given.map(({ body }) => body)).toEqual(["low, not committed", "high"]);
    expect(mark).toEqual({ "0": given[1]?.position });
  });

  it("stops only when a worker that is taking has taken, and what it took is counted", async () => {
    const queue = postgresQueue({ client: pool, clock: systemClock });
    await startFirst(queue, "taking", "blue");
    await queueTables(pool).produce("taking", ["1", "2"]);
    const taker = await pool.connect();
    await taker.query("begin");
    await queueTables(taker).take("taking", "blue", 1);
    let isStopped = false;
    const stopped = queue.stop("taking", "blue", 2, never).then(() => {
      isStopped = true;
    });
    await sleep(100);
    const late = queueTables(pool).take("taking", "blue", 1); // It may wait behind the stop, or come before it.
    expect(isStopped).toBe(false);
    await taker.query("commit");
    taker.release();
    await stopped;
    const inFlight = 1 + (await late).length;
    expect(await progressOf(queue, "taking", "blue")).toMatchObject({ inFlight, waiting: 2 - inFlight });
    expect(await queueTables(pool).take("taking", "blue", 1)).toEqual([]);
  });

  it("refuses to settle what was given to another consumer meanwhile", async () => {
    const queue = postgresQueue({ client: pool, clock: systemClock });
    const tables = queueTables(pool);
    await startFirst(queue, "zombie", "blue");
    await tables.produce("zombie", ["1"]);
    const [zombie] = await tables.take("zombie", "blue", 1);
    if (zombie === undefined) throw new Error("expected one message");
    for (const [epoch, consumer] of [
      [2, "green"],
      [3, "blue"],
    ] as const) {
      await queue.start("zombie", consumer, { after: {}, epoch }, never);
      const [heir] = await tables.take("zombie", consumer, 1);
      expect(heir?.body).toBe("1");
      expect(await tables.settle(zombie)).toBe(false);
    }
    expect((await progressOf(queue, "zombie", "blue")).inFlight).toBe(1);
  });

  it("opens by an address and a secret's file, and says what is wrong with either", async () => {
    const opened = await driver.open({ url: server.url, secretFile: null }, systemClock);
    expect(await opened.readPointer("none", never)).toBe(null);
    await opened.close();
    await expect(driver.open({ url: "redis://x", secretFile: null }, systemClock)).rejects.toMatchObject({
      code: "rejected",
    });
    await expect(driver.open({ url: server.url, secretFile: "/nowhere" }, systemClock)).rejects.toMatchObject({
      code: "unauthorized",
    });
  });
});
