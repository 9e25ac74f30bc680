import { readFile, rename, rm, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import type { ControllerStore } from "../../../ports/controller-store.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import { type SqlDatabase, storeError } from "./client.ts";
import { growthProblem } from "./disk.ts";
import { migrate, sqlStore } from "./driver.ts";
import { copyRows, stepsOf } from "./rows.ts";
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

/** True when PostgreSQL inside the WebAssembly module has ended: a write to its log failed. */
function isPanic(error: unknown): boolean {
  const { severity = "", name = "" } = error as { severity?: string; name?: string };
  return severity === "PANIC" || severity === "FATAL" || name === "RuntimeError" || name === "ExitStatus";
}

/**
 * PGlite, one piece of work at a time, left alone for ever once it has panicked. Any call after a panic, even the
 * rollback that PGlite's own transactions send, spins without end and takes the whole process with it.
 * @source tried with PGlite 0.5.14 under `ulimit -f`
 */
export function guarded(database: PGlite): SqlDatabase {
  let panic: unknown = null;
  let queue: Promise<unknown> = Promise.resolve();
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const done = queue.then(() => {
      if (panic !== null) throw panic;
      return work();
    });
    queue = done.catch(() => {});
    return done;
  };
  const query = async <Row>(text: string, values?: unknown[]): Promise<{ rows: Row[]; affectedRows?: number }> => {
    try {
      return await database.query<Row>(text, values);
    } catch (error) {
      if (isPanic(error)) panic = error;
      throw error;
    }
  };
  return {
    query: (text, values) => alone(() => query(text, values)),
    transaction: (work) =>
      alone(async () => {
        await query("begin");
        try {
          const result = await work({ query });
          await query("commit");
          return result;
        } catch (error) {
          if (panic === null) await query("rollback");
          throw error;
        }
      }),
    async close() {
      await queue;
      if (panic === null) await database.close();
    },
  };
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
    const database = await blankDatabase(draft);
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
    const store = sqlStore(withUpkeep(database), () => growthProblem(folder));
    return {
      ...withSpaceBack(store, database),
      async copy(take) {
        await copyRows(database, take);
        return stepsOf(database);
      },
    };
  } catch (error) {
    const growthCode = await growthProblem(folder);
    if (isNew || growthCode !== null) throw storeError(error, growthCode);
    throw damaged(folder, error instanceof Error ? error.message : String(error), error);
  }
}

/** A database in memory, for tests of what only SQL does. */
export async function openPgliteMemoryStore(): Promise<ControllerStore> {
  const blank = await template();
  const database = guarded(await PGlite.create(blank === null ? {} : { loadDataDir: blank }));
  await migrate(database);
  return sqlStore(database);
}
