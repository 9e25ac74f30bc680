import { DriverError } from "../../../ports/driver-error.ts";
import { type Copied, fill, type Jump, jumpAbove } from "../sql/fill.ts";
import { migrate, refuseNewer, stepsOf } from "../sql/migrate.ts";
import type { SqlDatabase } from "../sql/client.ts";
import { type ConnectionOptions, connect, pooled, SCHEMA } from "./client.ts";
import { storeError } from "./failure.ts";
import { makeSchema, placeOf } from "./open.ts";

async function inDatabase<T>(options: ConnectionOptions, work: (database: SqlDatabase) => Promise<T>): Promise<T> {
  const database = pooled(connect(options));
  try {
    return await work(database);
  } catch (error) {
    const isSaid = error instanceof Error && error.name === "InputError";
    throw isSaid ? error : storeError(error, placeOf(options.url));
  } finally {
    await database.close();
  }
}

/**
 * Makes a store of rows in a database that has none. What it orders goes on above what was ever given.
 * @throws DriverError `rejected` when there is a store already, when the rows are of a newer version or no store's,
 * with nothing left behind
 */
export function restorePostgresStore(options: ConnectionOptions, from: Copied, jump: Jump): Promise<void> {
  refuseNewer(from.steps, "the backup");
  return inDatabase(options, async (database) => {
    if ((await stepsOf(database)) > 0) {
      const advice = `nothing was changed; name an empty database, or remove that one: drop schema ${SCHEMA} cascade`;
      throw new DriverError("rejected", "never", `${placeOf(options.url)} holds a store already; ${advice}`);
    }
    await makeSchema(database);
    try {
      await fill(database, from, jump);
    } catch (error) {
      await database.query(`drop schema if exists ${SCHEMA} cascade`).catch(() => {}); // The first failure is told.
      throw error;
    }
  });
}

/**
 * Says of a database that it was put back by other means, such as pg_restore or a server's own archive: what it orders
 * goes on above what was given since.
 * @throws DriverError `rejected` when it holds no store
 */
export function jumpPostgresStore(options: ConnectionOptions, jump: Jump): Promise<void> {
  return inDatabase(options, async (database) => {
    if ((await stepsOf(database)) === 0)
      throw new DriverError(
        "rejected",
        "never",
        `${placeOf(options.url)} holds no store; name the one that was put back`,
      );
    await migrate(database);
    await jumpAbove(database, jump);
  });
}
