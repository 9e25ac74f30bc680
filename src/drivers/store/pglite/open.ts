import { readFile, rename, rm, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import type { ControllerStore } from "../../../ports/controller-store.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import { migrate, stepsOf } from "../sql/migrate.ts";
import { copyRows } from "../sql/rows.ts";
import { sqlStore } from "../sql/store.ts";
import { guarded } from "./client.ts";
import { growthProblem } from "./disk.ts";
import { storeError } from "./failure.ts";
import { START_PARAMS, withSpaceBack, withUpkeep } from "./upkeep.ts";

/** An empty database made at build time: creating one takes seconds, unpacking one a fraction of that. */
const TEMPLATE = fileURLToPath(new URL("./template.tar.gz", import.meta.url));

/** The template's bytes; null when the sources run unbuilt, then the database is created the slow way. */
async function template(): Promise<Blob | null> {
  return readFile(TEMPLATE).then(
    (bytes) => new Blob([new Uint8Array(bytes)]),
    () => null,
  );
}

/** Starts the database of a folder; an empty one is made where there is none. */
export function startDatabase(folder: string, from: { readonly loadDataDir?: Blob } = {}): Promise<PGlite> {
  return PGlite.create({ dataDir: folder, startParams: START_PARAMS, ...from });
}

/** A new database in a folder that is not there yet. */
export async function blankDatabase(folder: string): Promise<PGlite> {
  const blank = await template();
  return startDatabase(folder, blank === null ? {} : { loadDataDir: blank });
}

/**
 * Makes an empty, migrated database beside `folder` and renames it into place, so that a crash in the middle leaves
 * nothing that looks like a database.
 */
async function create(folder: string): Promise<void> {
  const draft = `${folder}.draft`;
  await rm(draft, { recursive: true, force: true });
  try {
    const database = guarded(await blankDatabase(draft));
    await migrate(database);
    await database.close();
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

/** A database that was there and cannot be opened; what the engine says about it is for experts. */
function damaged(folder: string, finding: string, cause: unknown): DriverError {
  const advice =
    "put a backup in its place (`sluice restore FILE --replace`), or name an empty directory and begin again without its rollouts";
  return new DriverError("rejected", "never", `the database ${folder} cannot be opened (${finding}); ${advice}`, cause);
}

/** A controller's store that can be copied while it works. */
export interface PgliteStore extends ControllerStore {
  /** Every row as of one moment, as lines of JSON. Resolves with the migrations the database has seen. */
  copy(take: (lines: readonly string[]) => Promise<void>): Promise<number>;
}

/**
 * Opens the database in `folder`, creating and migrating it when needed. PGlite takes no lock of its own: the caller
 * holds the data directory's lock before and until after `close`.
 * @throws DriverError `rejected` when the disk is full, `unreachable` otherwise
 */
export async function openPgliteStore(folder: string): Promise<PgliteStore> {
  const found = await stat(folder).catch(() => null);
  if (found !== null && !found.isDirectory()) throw damaged(folder, "it is a file, a folder was expected", null);
  const isNew = found === null;
  try {
    if (isNew) await create(folder);
    const database = guarded(await startDatabase(folder));
    await migrate(database);
    const store = sqlStore(withUpkeep(database), async (error) => storeError(error, await growthProblem(folder)));
    return {
      ...withSpaceBack(store, database),
      async copy(take) {
        await copyRows(database, take);
        return stepsOf(database);
      },
    };
  } catch (error) {
    const growthCode = await growthProblem(folder);
    if (error instanceof DriverError) throw error;
    if (isNew || growthCode !== null) throw storeError(error, growthCode);
    throw damaged(folder, error instanceof Error ? error.message : String(error), error);
  }
}

/** An empty database in memory. */
export async function blankMemoryDatabase(): Promise<PGlite> {
  const blank = await template();
  return PGlite.create(blank === null ? {} : { loadDataDir: blank });
}

/** A database in memory, for tests of what only SQL does. */
export async function openPgliteMemoryStore(): Promise<ControllerStore> {
  const database = guarded(await blankMemoryDatabase());
  await migrate(database);
  return sqlStore(database, (error) => Promise.resolve(storeError(error, null)));
}
