import type pg from "pg";
import { describe, expect, it } from "vitest";
import { postgresInbox, postgresOutbox } from "../../../src/drivers/outbox/postgres/index.ts";
import { systemClock } from "../../../src/fence/system.ts";
import { runOutboxCrashMatrix } from "../../../src/testing/outbox-crash.ts";
import { OUTBOX_CRASH_POINTS } from "../../../src/testing/outbox-crash-process.ts";
import type { OutboxCrashPlan, OutboxCrashWorld } from "../../../src/testing/outbox-crash-world.ts";
import { hasPostgres, startPostgres } from "../fence/servers.ts";
import { transactOn } from "./transact.ts";

/** `SLUICE_OUTBOX_PG_EVENTS` makes it a longer run. */
const events = Number(process.env["SLUICE_OUTBOX_PG_EVENTS"] ?? 300);
const plan: OutboxCrashPlan = {
  seed: 3,
  events,
  copies: 5,
  crashShare: 0.02,
  relays: 2,
  concurrency: 8,
  leaseMs: 600,
  orderKeys: 50,
  prefix: "x",
};
const nothingWrong = { torn: 0, unsettled: 0, duplicates: 0, lost: 0, phantoms: 0, orderBreaks: 0 };

/** Each colour has its own connections, as two releases have; producers and the receiver share a third pool. */
async function worldOf(pools: Readonly<Record<"blue" | "green" | "business", pg.Pool>>) {
  const inbox = postgresInbox({ client: pools.business });
  const open = (colour: "blue" | "green") => postgresOutbox({ client: pools[colour] });
  for (const store of [open("blue"), open("green"), inbox]) await store.migrate();
  for (const table of ["ordered", "applied"]) {
    await pools.business.query(`create table ${table} (place bigint generated always as identity, key text not null)`);
  }
  const world: OutboxCrashWorld<pg.PoolClient> = {
    open,
    inbox,
    transact: transactOn(pools.business),
    clock: systemClock,
    async write(transaction, table, key) {
      await transaction.query(`insert into ${table} (key) values ($1)`, [key]);
    },
    async read(table) {
      const { rows } = await pools.business.query<{ key: string }>(`select key from ${table} order by place`);
      return rows.map(({ key }) => key);
    },
  };
  return world;
}

describe.skipIf(!hasPostgres())("the outbox's crash matrix on a PostgreSQL server", () => {
  it(`I6, I7, I14: ${events} events sent 5 times each across a flip, dying at all 10 points: nothing lost or doubled`, {
    timeout: 60_000 + events * 200,
  }, async () => {
    const server = await startPostgres(["max_connections=60"]);
    const pools = { blue: server.connect(8), green: server.connect(8), business: server.connect(24) };
    try {
      const report = await runOutboxCrashMatrix(await worldOf(pools), plan);
      console.info("outbox crash matrix, PostgreSQL:", JSON.stringify(report));
      expect(report).toMatchObject({ ...nothingWrong, ordered: events, clobbers: 0, claimsAfterFlip: 0 });
      expect(report.sent + report.dead).toBe(events);
      expect(report.deliveries).toBeGreaterThan(events * 4.5);
      const replayed = { ...nothingWrong, orderBreaks: expect.any(Number), sent: events, dead: 0 };
      expect(report.afterReplay).toMatchObject(replayed);
      for (const point of OUTBOX_CRASH_POINTS) expect(report.crashes[point], point).toBeGreaterThan(0);
      expect(report.staleMarks).toBeGreaterThan(0);
      expect(report.staleEpochs).toBe(plan.relays);
    } finally {
      for (const pool of Object.values(pools)) await pool.end();
      await server.stop();
    }
  });
});
