import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { completeInTransaction, postgresFence } from "../../../../src/drivers/fence/postgres/index.ts";
import { claimKey } from "../../../../src/fence/once.ts";
import { systemClock } from "../../../../src/fence/system.ts";
import { fenceConformance, type FenceWorld } from "../../../../src/testing/fence-suite.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../servers.ts";

describe.skipIf(!hasPostgres())("fence/postgres on a real server", () => {
  let server: PostgresServer;
  const pools: pg.Pool[] = [];
  let worlds = 0;
  beforeAll(async () => {
    server = await startPostgres();
    pools.push(server.connect(), server.connect());
    await Promise.all([...pools, ...pools].map((client) => postgresFence({ client }).migrate())); // All at once, as processes do.
  });
  afterAll(async () => {
    for (const pool of pools) await pool.end();
    await server.stop();
  });

  let handles = 0;
  const open = () => postgresFence({ client: pools[handles++ % 2] as pg.Pool });
  function world(): FenceWorld {
    return { open, advance: (ms) => systemClock.sleep(ms), prefix: `w${++worlds}`, leaseMs: 400 };
  }
  fenceConformance(world, it);

  it("accepts a server with fsync and synchronous_commit on, and refuses a session that turned one off", async () => {
    expect(await open().check()).toEqual({ kind: "durable", found: "synchronous_commit=on fsync=on" });
    const lax = server.connect(1);
    await lax.query("set synchronous_commit = off");
    await expect(postgresFence({ client: lax }).check()).rejects.toMatchObject({ code: "rejected", retry: "never" });
    await lax.end();
  });

  it("commits result and business row together, and neither when the transaction rolls back", async () => {
    const pool = pools[0] as pg.Pool;
    await pool.query("create table charge (id text primary key)");
    for (const ending of ["rollback", "commit"]) {
      const answer = await claimKey({ store: open(), leaseMs: 60_000 }, { scope: "tx", key: ending });
      if (answer.kind !== "held") throw new Error(`expected held, found ${answer.kind}`);
      const client = await pool.connect();
      await client.query("begin");
      await client.query("insert into charge values ($1)", [ending]);
      expect(await completeInTransaction(client, answer.held.owner, '"ok"', { retentionMs: 60_000 })).toBe("stored");
      await client.query(ending);
      client.release();
      const record = await open().read("tx", ending);
      expect(record?.state).toBe(ending === "commit" ? "done" : "locked");
      expect((await pool.query("select 1 from charge where id = $1", [ending])).rowCount).toBe(
        ending === "commit" ? 1 : 0,
      );
    }
  });

  it("hands out tokens above 2^32 after a restore, for work and for leases", async () => {
    const store = open();
    const lease = {
      scope: "restore",
      key: "lease",
      fingerprint: "",
      attemptId: "a",
      leaseMs: 1,
      effectKey: null,
      note: "{}",
    };
    const first = await store.claim({ ...lease, kind: "lease", observed: null });
    await store.jumpTokens();
    const work = await store.claim({ ...lease, key: "work", kind: "work", observed: null });
    expect(work).toMatchObject({ kind: "held" });
    expect((work as { token: number }).token).toBeGreaterThan(2 ** 32);
    const busy = await store.claim({ ...lease, attemptId: "b", kind: "lease", observed: null });
    expect(busy).toMatchObject({ kind: "busy", token: (first as { token: number }).token + 2 ** 32 });
  });

  it("says unreachable, safe to send again, when the server is gone", async () => {
    const pool = new pg.Pool({ host: "127.0.0.1", port: 1, user: "x", max: 1 });
    await expect(postgresFence({ client: pool }).read("s", "k")).rejects.toMatchObject({
      code: "unreachable",
      retry: "safe",
    });
    await pool.end();
  });
});
