import { rm } from "node:fs/promises";
import { DriverError } from "../../../ports/driver-error.ts";
import { type Copied, fill, type Jump } from "../sql/fill.ts";
import { refuseNewer, stepsOf } from "../sql/migrate.ts";
import { MIGRATIONS } from "../sql/migrations.ts";
import { copyRows } from "../sql/rows.ts";
import { guarded } from "./client.ts";
import { growthProblem } from "./disk.ts";
import { storeError } from "./failure.ts";
import { blankDatabase, startDatabase } from "./open.ts";

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
export async function restorePgliteStore(folder: string, from: Copied, jump: Jump): Promise<void> {
  refuseNewer(from.steps, "the backup");
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
