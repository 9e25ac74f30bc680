import type pg from "pg";
import type { Transact } from "../../../src/fence/outbox/memory-transaction.ts";

/** Transactions on clients of a pool, as a service writes them. */
export function transactOn(pool: pg.Pool): Transact<pg.PoolClient> {
  return async (work) => {
    const client = await pool.connect();
    try {
      await client.query("begin");
      const result = await work(client);
      await client.query("commit");
      return result;
    } catch (error) {
      await client.query("rollback").catch(() => {}); // The connection may be what failed.
      throw error;
    } finally {
      client.release();
    }
  };
}
