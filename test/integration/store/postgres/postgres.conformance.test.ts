import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPostgresStore, type PostgresStore } from "../../../../src/drivers/store/postgres/index.ts";
import type { StoredRollout } from "../../../../src/ports/controller-store.ts";
import { MIGRATIONS } from "../../../../src/drivers/store/sql/migrations.ts";
import { after, find, must, stored } from "../../../../src/testing/store-world.ts";
import { storeConformance } from "../../../../src/testing/store-suite.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../../fence/servers.ts";

/** A rollout, read over a connection that is not cut. */
async function untilRead(store: PostgresStore, rolloutId: string, tries = 10): Promise<StoredRollout> {
  const found = await store.rollout(rolloutId).catch((error: unknown) => {
    if (tries === 0) throw error;
    return null;
  });
  return found ?? untilRead(store, rolloutId, tries - 1);
}

describe.skipIf(!hasPostgres())("store/postgres on a real server", { timeout: 60_000 }, () => {
  let server: PostgresServer;
  const stores: PostgresStore[] = [];
  let [worlds, handles] = [0, 0];
  beforeAll(async () => {
    server = await startPostgres();
    for (let handle = 0; handle < 3; handle++) stores.push(await openPostgresStore({ url: server.url }));
    await Promise.all([...stores, ...stores].map((store) => store.migrate())); // All at once, as processes do.
  });
  afterAll(async () => {
    for (const store of stores) await store.close();
    await server.stop();
  });

  const open = () => Promise.resolve(stores[handles++ % 2] as PostgresStore);
  storeConformance(() => ({ open, prefix: `w${++worlds}` }), it);

  it("keeps to a schema of its own, and migrates a migrated database again without a change", async () => {
    const pool = server.connect(1);
    const tables = async () =>
      (await pool.query("select table_schema, table_name from information_schema.tables where table_name = 'tokens'"))
        .rows;
    expect(await tables()).toEqual([{ table_schema: "sluice", table_name: "tokens" }]);
    const steps = async () => (await pool.query("select step from sluice.migrations order by step")).rows;
    const before = await steps();
    await stores[0]?.migrate();
    expect(await steps()).toEqual(before);
    expect(before.length).toBe(MIGRATIONS.length);
    await pool.end();
  });

  it("says that commits survive a crash of the server, and of which setting they would not", async () => {
    expect(stores[0]?.durability).toEqual({ isDurable: true, found: "fsync=on synchronous_commit=on" });
    const lax = await openPostgresStore({ url: `${server.url}?options=-c%20synchronous_commit%3Doff` });
    expect(lax.durability).toEqual({ isDurable: false, found: "fsync=on synchronous_commit=off" });
    expect((await lax.rollouts()).length).toBe((await stores[0]?.rollouts())?.length); // In the same schema.
    await lax.close();
  });

  it("refuses a database that is not there, a user who is unknown and one that a newer version has changed", async () => {
    const refusal = (url: string) => openPostgresStore({ url }).catch((error: unknown) => error);
    expect(await refusal(server.url.replace(/\w+$/, "nowhere"))).toMatchObject({ code: "rejected", retry: "never" });
    expect(await refusal(server.url.replace("fence@", "nobody@"))).toMatchObject({ code: "unauthorized" });
    const pool = server.connect(1);
    await pool.query("create database newer");
    await pool.end();
    const url = server.url.replace(/\w+$/, "newer");
    const store = await openPostgresStore({ url });
    await store.migrate();
    await store.close();
    const newer = server.connect(1);
    newer.options.database = "newer";
    await newer.query("insert into sluice.migrations values ($1)", [MIGRATIONS.length]);
    await newer.end();
    const error = await refusal(url);
    expect(error).toMatchObject({ code: "rejected", retry: "never" });
    expect(String(error)).toMatch(/postgres:\/\/127.0.0.1:\d+\/newer was made by a newer version/);
  });

  it("keeps of many commits whose connections are cut all that were confirmed, and says of which nobody knows", async () => {
    const [store, pool] = [stores[2] as PostgresStore, server.connect(1)];
    let last = Array.from({ length: 60 }, (_, index) => stored(`cut-${index}`, 1));
    for (const next of last) await must(store, { rollout: { expectedVersion: null, next } });
    for (let round = 0; round < 6; round++) {
      const commits = last.map((one) =>
        store.commit({ rollout: { expectedVersion: one.version, next: after(one) } }).catch((error: unknown) => error),
      );
      const cut = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sluice'";
      const told = (await Promise.all([...commits, pool.query(cut)])).slice(0, commits.length);
      const found = await Promise.all(last.map(({ rollout }) => untilRead(store, rollout.plan.rolloutId)));
      for (const [index, one] of last.entries()) {
        const moved = (found[index]?.version ?? 0) - one.version;
        if (told[index] === true) expect(moved).toBe(1);
        else
          expect(told[index]).toMatchObject({
            code: "unreachable",
            retry: moved === 1 ? "after-read" : expect.any(String),
          });
      }
      last = found;
    }
    await pool.end();
  });

  it("is unreachable, worth another try, while the server is away, and goes on when it is back", async () => {
    const [store, id] = [stores[2] as PostgresStore, "outage"];
    await must(store, { rollout: { expectedVersion: null, next: stored(id, 1) } });
    await server.halt();
    const change = { rollout: { expectedVersion: 1, next: stored(id, 2) } };
    await expect(store.commit(change)).rejects.toMatchObject({ code: "unreachable", retry: "safe" });
    await expect(store.rollouts()).rejects.toMatchObject({ code: "unreachable", retry: "safe" });
    await server.resume();
    await must(store, change);
    expect((await find(store, id))?.version).toBe(2);
  });
});
