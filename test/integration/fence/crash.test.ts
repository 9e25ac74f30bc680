import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { postgresFence } from "../../../src/drivers/fence/postgres/index.ts";
import { redisFence } from "../../../src/drivers/fence/redis/index.ts";
import { systemClock } from "../../../src/fence/system.ts";
import type { FenceStore } from "../../../src/ports/fence-store.ts";
import { type CrashPlan, runCrashMatrix } from "../../../src/testing/fence-crash.ts";
import { hasPostgres, hasRedis, startPostgres, startRedis } from "./servers.ts";

const plan: CrashPlan = { seed: 3, events: 2_000, copies: 5, crashShare: 0.2, workers: 64, leaseMs: 400, prefix: "x" };

async function expectNothingWrong(open: (arm: "blue" | "green") => FenceStore): Promise<void> {
  const report = await runCrashMatrix({ open, clock: systemClock, advance: (ms) => systemClock.sleep(ms) }, plan);
  expect(report).toMatchObject({ deliveries: 10_000, duplicates: 0, lost: 0, doubleCommits: 0 });
  expect(Math.min(...Object.values(report.crashes))).toBeGreaterThan(20); // Every point was reached, many times.
  expect(report.superseded).toBeGreaterThan(0);
}

/** Each arm has its own connections, as two releases have. */
describe("the crash matrix on real servers: 10 000 deliveries, half on blue, half on green", {
  timeout: 120_000,
}, () => {
  it.skipIf(!hasPostgres())("I6, I7: PostgreSQL, durable: 0 duplicates, 0 lost, 0 double commits", async () => {
    const server = await startPostgres();
    const pools = { blue: server.connect(), green: server.connect() };
    try {
      await postgresFence({ client: pools.blue }).migrate();
      await expectNothingWrong((arm) => postgresFence({ client: pools[arm] }));
    } finally {
      await Promise.all([pools.blue.end(), pools.green.end()]);
      await server.stop();
    }
  });

  it.skipIf(!hasRedis())("I6, I7: Redis, appendfsync always: 0 duplicates, 0 lost, 0 double commits", async () => {
    const server = await startRedis();
    const clients = { blue: new Redis(server.port, "127.0.0.1"), green: new Redis(server.port, "127.0.0.1") };
    try {
      await expectNothingWrong((arm) => redisFence({ client: clients[arm] }));
    } finally {
      for (const client of Object.values(clients)) client.disconnect();
      await server.stop();
    }
  });
});
