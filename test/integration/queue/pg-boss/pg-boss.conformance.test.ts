import type pg from "pg";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bossQueue, driver } from "../../../../src/drivers/queue/pg-boss/index.ts";
import { systemClock } from "../../../../src/fence/system.ts";
import { GIVES_NOTHING_WHEN_STOPPED, queueConformance } from "../../../../src/testing/queue-suite.ts";
import { recorded } from "../../../conformance/recorded.ts";
import { never, progressOf, startFirst } from "../../../../src/testing/queue-world.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../../fence/servers.ts";
import { type Boss, hasQueueClients, pgBossModule } from "../clients.ts";
import { bossWorld } from "./world.ts";

describe.skipIf(!hasPostgres() || !hasQueueClients())("queue/pg-boss on a real server", () => {
  let server: PostgresServer;
  let pool: pg.Pool;
  let boss: Boss;
  beforeAll(async () => {
    server = await startPostgres();
    pool = server.connect();
    boss = new (await pgBossModule()).PgBoss({ connectionString: server.url, schedule: false });
    boss.on("error", () => {});
    await boss.start();
  });
  afterAll(async () => {
    await boss.stop({ graceful: false });
    await pool.end();
    await server.stop();
  });
  const waived = {
    [GIVES_NOTHING_WHEN_STOPPED]: "pg-boss has no pause from outside: workers stop when they read the pointer",
  };
  const of = { port: "queue", product: "pg-boss", against: "real", with: "pg-boss 12.38.0, PostgreSQL 15" } as const;
  const record = recorded(of, it, waived);
  queueConformance(() => bossWorld(pool, boss), record.it, waived);
  record.keep(async () => (await bossWorld(pool, boss).open("server")).can);

  it("takes a watermark that no job can slip under: it waits for a producer whose place is lower", async () => {
    const queue = bossQueue({ client: pool, clock: systemClock });
    await boss.createQueue("slip");
    const slow = await pool.connect();
    await slow.query("begin");
    await boss.send(
      "slip",
      { body: "low" },
      { db: { executeSql: (text: string, values: []) => slow.query(text, values) } },
    );
    await boss.send("slip", { body: "high" });
    let mark: unknown = null;
    const taken = queue.end("slip", never).then((found) => {
      mark = found;
    });
    await sleep(150);
    expect(mark).toBe(null);
    await slow.query("commit");
    slow.release();
    await taken;
    const { settled, waiting } = await progressOf(queue, "slip", "blue");
    expect([waiting, queue.reaches(settled, mark as Record<string, string>)]).toEqual([2, false]);
  });

  it("counts a job that is to be tried again, and not one whose time has not come", async () => {
    const queue = bossQueue({ client: pool, clock: systemClock });
    await boss.createQueue("later");
    await boss.send("later", { body: "1" }, { retryLimit: 5, retryDelay: 3_600 });
    await boss.send("later", { body: "tomorrow" }, { startAfter: 86_400 });
    expect(await progressOf(queue, "later", "blue")).toMatchObject({ inFlight: 0, waiting: 1 });
    const [job] = await boss.fetch("later", { batchSize: 1 });
    await boss.fail("later", job?.id ?? "");
    const mark = await queue.end("later", never);
    const { settled, inFlight, waiting } = await progressOf(queue, "later", "blue");
    expect([inFlight, waiting, queue.reaches(settled, mark)]).toEqual([0, 1, false]);
  });

  it("is at the end of a queue whose settled jobs are deleted", async () => {
    const queue = bossQueue({ client: pool, clock: systemClock });
    await boss.createQueue("deleted");
    await boss.send("deleted", { body: "1" });
    const mark = await queue.end("deleted", never);
    await pool.query("delete from pgboss.job where name = 'deleted'");
    expect(queue.reaches((await progressOf(queue, "deleted", "blue")).settled, mark)).toBe(true);
  });

  it("reads the schema in the address, and says rejected where pg-boss is not there", async () => {
    const opened = await driver.open({ url: `${server.url}?schema=elsewhere`, secretFile: null }, systemClock);
    await expect(startFirst(opened, "jobs", "blue")).rejects.toMatchObject({ code: "rejected", retry: "never" });
    await opened.close();
  });
});
