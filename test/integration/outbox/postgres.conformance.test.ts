import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresClient, postgresInbox, postgresOutbox } from "../../../src/drivers/outbox/postgres/index.ts";
import { systemClock } from "../../../src/fence/system.ts";
import { outboxConformance } from "../../../src/testing/outbox-suite.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../fence/servers.ts";
import { transactOn } from "./transact.ts";

describe.skipIf(!hasPostgres())("outbox/postgres on a real server", () => {
  let server: PostgresServer;
  const pools: pg.Pool[] = [];
  let worlds = 0;
  beforeAll(async () => {
    server = await startPostgres();
    pools.push(server.connect(24), server.connect());
  });
  afterAll(async () => {
    for (const pool of pools) await pool.end();
    await server.stop();
  });
  const poolOf = (index: number) => pools[index % 2] as pg.Pool;

  let handles = 0;
  outboxConformance(async () => {
    const [leaseMs, retentionMs, name] = [400, 1_200, ++worlds];
    const open = () => postgresOutbox({ client: poolOf(handles++), retentionMs, table: `outbox_${name}` });
    const inbox = postgresInbox({ client: poolOf(1), retentionMs, table: `inbox_${name}` });
    await Promise.all([open(), open(), open(), inbox, inbox].map((store) => store.migrate())); // At once, as processes do.
    const advance = (ms: number) => systemClock.sleep(ms);
    return { open, inbox, transact: transactOn(poolOf(0)), advance, wallMs: systemClock.wallMs, leaseMs, retentionMs };
  }, it);

  it("commits business row, fence result and outbox row together, and none of them after a rollback", async () => {
    const outbox = postgresOutbox({ client: poolOf(0), table: "sales.outbox" });
    await poolOf(0).query("create schema sales; create table sales.orders (id text primary key)");
    await outbox.migrate();
    const write = (id: string) => async (transaction: PostgresClient) => {
      await transaction.query("insert into sales.orders values ($1)", [id]);
      return outbox.add(transaction, [{ effectKey: id, topic: "order", payload: id, orderKey: id }]);
    };
    const transact = transactOn(poolOf(0));
    await transact(write("o-1"));
    await expect(transact(write("o-1"))).rejects.toThrow("duplicate key"); // The business's own unique row.
    const failing = transact(async (transaction) => {
      await write("o-2")(transaction);
      throw new Error("stop");
    });
    await expect(failing).rejects.toThrow("stop");
    const { rows } = await poolOf(0).query("select id from sales.orders");
    expect(rows).toEqual([{ id: "o-1" }]);
    expect(await outbox.counts()).toMatchObject({ waiting: 1 });
  });

  it("refuses a pool in place of the client that said begin, and writes nothing", async () => {
    const outbox = postgresOutbox({ client: poolOf(0), table: "outside" });
    await outbox.migrate();
    const added = outbox.add(poolOf(0), [{ effectKey: "k", topic: "t", payload: "p" }]);
    await expect(added).rejects.toMatchObject({ code: "rejected", message: expect.stringContaining("not the pool") });
    expect(await outbox.counts()).toMatchObject({ waiting: 0 });
  });

  it("says unreachable, safe to send again, when the server is gone", async () => {
    const pool = server.connect(1);
    await pool.end();
    const failure = { code: "unreachable", retry: "safe" };
    await expect(postgresOutbox({ client: pool }).counts()).rejects.toMatchObject(failure);
  });
});
