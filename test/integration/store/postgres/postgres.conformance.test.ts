import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SqlClient, SqlDatabase } from "../../../../src/drivers/store/pglite/client.ts";
import { migrate, sqlStore } from "../../../../src/drivers/store/pglite/index.ts";
import { storeConformance } from "../../../../src/testing/store-suite.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../../fence/servers.ts";

/** The structural database on a pool of `pg`. */
function database(pool: pg.Pool): SqlDatabase {
  const client = (on: pg.Pool | pg.PoolClient): SqlClient => ({
    async query<Row>(text: string, values?: unknown[]) {
      const { rows, rowCount } = await on.query(text, values);
      return { rows: rows as Row[], affectedRows: rowCount ?? 0 };
    },
  });
  return {
    ...client(pool),
    async transaction(work) {
      const one = await pool.connect();
      try {
        await one.query("begin");
        const result = await work(client(one));
        await one.query("commit");
        return result;
      } catch (error) {
        await one.query("rollback");
        throw error;
      } finally {
        one.release();
      }
    },
    close: () => pool.end(),
  };
}

describe.skipIf(!hasPostgres())("the SQL store on a real PostgreSQL server: the same statements as on PGlite", () => {
  let server: PostgresServer;
  const databases: SqlDatabase[] = [];
  let [worlds, handles] = [0, 0];
  beforeAll(async () => {
    server = await startPostgres();
    databases.push(database(server.connect()), database(server.connect()));
    await migrate(databases[0] as SqlDatabase);
  });
  afterAll(async () => {
    for (const one of databases) await one.close();
    await server.stop();
  });

  const open = () => Promise.resolve(sqlStore(databases[handles++ % 2] as SqlDatabase));
  storeConformance(() => ({ open, prefix: `w${++worlds}` }), it);

  it("migrates a migrated database again without a change", async () => {
    const [one] = databases as [SqlDatabase];
    const steps = async () => (await one.query("select step from migrations order by step")).rows;
    const before = await steps();
    await migrate(one);
    expect(await steps()).toEqual(before);
    expect(before.length).toBeGreaterThan(0);
  });
});
