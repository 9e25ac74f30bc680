import { DriverError } from "../../../ports/driver-error.ts";
import type { SqlClient, SqlDatabase } from "./client.ts";
import { MIGRATIONS } from "./migrations.ts";

/** Two processes that migrate one database take turns by it; any number that nobody else uses. */
const TURN = 7_584_221_906;

/** The migrations a database has seen; 0 for one that is no store's. */
export async function stepsOf(client: SqlClient): Promise<number> {
  const { rows } = await client.query<{ there: string | null }>("select to_regclass('migrations')::text as there");
  if (rows[0]?.there == null) return 0;
  const counted = await client.query<{ steps: number | string }>("select count(*) as steps from migrations");
  return Number(counted.rows[0]?.steps ?? 0);
}

/** @throws DriverError `rejected` when a newer version has changed the database already */
export function refuseNewer(steps: number, what: string): void {
  if (steps <= MIGRATIONS.length) return;
  const found = `${what} was made by a newer version (it has seen ${steps} migrations, this one knows ${MIGRATIONS.length})`;
  throw new DriverError("rejected", "never", `${found}; install that version`);
}

/** Applies the missing migrations, each in its own transaction. Safe to run at every start, and by many at once. */
export async function migrate(database: SqlDatabase, steps: number = MIGRATIONS.length): Promise<void> {
  refuseNewer(await stepsOf(database), "the database");
  for (let isDone = false; !isDone; ) {
    isDone = await database.transaction(async (client) => {
      await client.query(`select pg_advisory_xact_lock(${TURN})`);
      await client.query("create table if not exists migrations (step integer primary key)");
      const step = await stepsOf(client);
      if (step >= steps) return true;
      await client.query(MIGRATIONS[step] as string);
      await client.query("insert into migrations (step) values ($1)", [step]);
      return false;
    });
  }
}
