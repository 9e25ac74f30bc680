import { DriverError } from "../../../ports/driver-error.ts";
import type { SqlDatabase } from "./client.ts";
import { migrate } from "./migrate.ts";
import { insertRows, type StoredRow } from "./rows.ts";

/** What a restored store goes on above: nobody knows what the one that was lost has given since the backup. */
export interface Jump {
  /** The highest owner token and epoch known from elsewhere; 0 for none. */
  readonly owner: number;
  readonly epoch: number;
  /** The longest lease that may still run anywhere. */
  readonly announcedMs: number;
}

/** Beyond what any controller counts to. @source reliability.md, "Leases and fencing" */
const JUMP = 2 ** 32;

/** Rows of a backup, and the migrations that its database had seen. */
export interface Copied {
  readonly steps: number;
  readonly rows: AsyncIterable<StoredRow>;
}

/**
 * Makes an empty database that of a backup. Its owner token and its documents go on above what was ever given, so that
 * whatever the lost one ordered is older.
 * @throws DriverError `rejected` when the rows are no store's
 */
export async function fill(
  database: SqlDatabase,
  { steps, rows }: Copied,
  { owner, epoch, announcedMs }: Jump,
): Promise<void> {
  await migrate(database, steps);
  await insertRows(database, rows);
  await migrate(database);
  await jumpAbove(database, { owner, epoch, announcedMs });
}

/** Moves a store's owner token and the numbers of its documents above whatever was given elsewhere. */
export async function jumpAbove(database: SqlDatabase, { owner, epoch, announcedMs }: Jump): Promise<void> {
  const above = `update ownership set owner = greatest(owner, $1) + ${JUMP}, announced_ms = greatest(announced_ms, $2),
    epoch_floor = greatest(epoch_floor, $3, (select coalesce(max(epoch), 0) from documents)) + ${JUMP}`;
  const { affectedRows } = await database.query(above, [owner, announcedMs, epoch]);
  if (affectedRows !== 1) throw new DriverError("rejected", "never", "the backup holds no identity of a store");
}
