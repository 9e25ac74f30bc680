import { rm } from "node:fs/promises";
import { DriverError } from "../../../ports/driver-error.ts";
import { migrate } from "./driver.ts";
import { type SqlDatabase, storeError } from "./client.ts";
import { growthProblem } from "./disk.ts";
import { MIGRATIONS } from "./migrations.ts";
import { blankDatabase, guarded, startDatabase } from "./open.ts";
import { copyRows, insertRows, type StoredRow, stepsOf } from "./rows.ts";

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

/**
 * Every row of the database in `folder` as of one moment, while no controller has it open. It is not migrated.
 * @returns the migrations it has seen
 */
export async function copyPgliteStore(
  folder: string,
  take: (lines: readonly string[]) => Promise<void>,
): Promise<number> {
  const database = guarded(await startDatabase(folder));
  try {
    await copyRows(database, take);
    return await stepsOf(database);
  } finally {
    await database.close();
  }
}

/**
 * Makes a database of rows in a folder that is not there yet. Its owner token and its documents go on above what was
 * ever given, so that whatever the lost one ordered is older.
 * @throws DriverError `rejected` when the rows are of a newer version or no store's, with nothing left behind
 */
export async function restorePgliteStore(
  folder: string,
  from: { readonly steps: number; readonly rows: AsyncIterable<StoredRow> },
  jump: Jump,
): Promise<void> {
  if (from.steps > MIGRATIONS.length) {
    const found = `the backup was made by a newer version (its database has seen ${from.steps} migrations`;
    throw new DriverError("rejected", "never", `${found}, this one knows ${MIGRATIONS.length}); install that version`);
  }
  const isCurrent = from.steps === MIGRATIONS.length;
  try {
    const database = guarded(isCurrent ? await blankDatabase(folder) : await startDatabase(folder));
    try {
      await fill(database, from, jump);
    } finally {
      await database.close();
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    const isSaid = error instanceof Error && (error.name === "InputError" || error instanceof DriverError);
    throw isSaid ? error : storeError(error, await growthProblem(folder));
  }
}

async function fill(
  database: SqlDatabase,
  { steps, rows }: { readonly steps: number; readonly rows: AsyncIterable<StoredRow> },
  { owner, epoch, announcedMs }: Jump,
): Promise<void> {
  await migrate(database, steps);
  await insertRows(database, rows);
  await migrate(database);
  const above = `update ownership set owner = greatest(owner, $1) + ${JUMP}, announced_ms = greatest(announced_ms, $2),
    epoch_floor = greatest(epoch_floor, $3, (select coalesce(max(epoch), 0) from documents)) + ${JUMP}`;
  const { affectedRows } = await database.query(above, [owner, announcedMs, epoch]);
  if (affectedRows !== 1) throw new DriverError("rejected", "never", "the backup holds no identity of a store");
}
