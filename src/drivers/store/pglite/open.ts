import { mkdirSync, writeFileSync } from "node:fs";
import { readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { PGlite } from "@electric-sql/pglite";
import { parseTar } from "nanotar";
import type { ControllerStore } from "../../../ports/controller-store.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import { migrate, stepsOf } from "../sql/migrate.ts";
import { copyRows } from "../sql/rows.ts";
import { sqlStore } from "../sql/store.ts";
import { guarded } from "./client.ts";
import { growthProblem } from "./disk.ts";
import { storeError } from "./failure.ts";
import { START_PARAMS, withSpaceBack, withUpkeep } from "./upkeep.ts";

/** An empty, migrated database made by the build: creating one takes seconds of a processor. */
const TEMPLATE = fileURLToPath(new URL("./template.tar.gz", import.meta.url));

/** The template's bytes; null when nothing was built, then the database is created the slow way. */
const template = (): Promise<Buffer | null> => readFile(TEMPLATE).catch(() => null);

/**
 * Writes the template's files, which the engine itself does ten times slower. Without waiting between them: a thousand
 * small files, a tenth of a second, before anything is served.
 */
async function unpack(packed: Buffer, folder: string): Promise<void> {
  const entries = parseTar(await promisify(gunzip)(packed));
  mkdirSync(folder);
  for (const { name, type, data } of entries) {
    if (type === "directory") mkdirSync(join(folder, name));
    else writeFileSync(join(folder, name), data ?? "", { mode: 0o600 });
  }
}

/** Starts the database of a folder; an empty one is made where there is none. */
export function startDatabase(folder: string): Promise<PGlite> {
  return PGlite.create({ dataDir: folder, startParams: START_PARAMS });
}

/** A new database in a folder that is not there yet; migrated when it comes from the template. */
export async function blankDatabase(folder: string): Promise<PGlite> {
  const packed = await template();
  if (packed !== null) await unpack(packed, folder);
  return startDatabase(folder);
}

/**
 * Makes an empty database beside `folder` and renames it into place, so that a crash in the middle leaves nothing that
 * looks like a database. What is in place is migrated by whoever opens it.
 */
async function create(folder: string): Promise<void> {
  const draft = `${folder}.draft`;
  await rm(draft, { recursive: true, force: true });
  try {
    const packed = await template();
    if (packed !== null) await unpack(packed, draft);
    else await startDatabase(draft).then((database) => database.close());
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
  const packed = await template();
  return PGlite.create(packed === null ? {} : { loadDataDir: new Blob([new Uint8Array(packed)]) });
}

/** A database in memory, for tests of what only SQL does. */
export async function openPgliteMemoryStore(): Promise<ControllerStore> {
  const database = guarded(await blankMemoryDatabase());
  await migrate(database);
  return sqlStore(database, (error) => Promise.resolve(storeError(error, null)));
}
