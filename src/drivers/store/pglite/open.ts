import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import type { ControllerStore } from "../../../ports/controller-store.ts";
import { storeError } from "./client.ts";
import { migrate, sqlStore } from "./driver.ts";

/** An empty database made at build time: creating one takes seconds, unpacking one a fraction of that. */
const TEMPLATE = fileURLToPath(new URL("./template.tar.gz", import.meta.url));

/** The template's bytes; null when the sources run unbuilt, then the database is created the slow way. */
async function template(): Promise<Blob | null> {
  return readFile(TEMPLATE).then(
    (bytes) => new Blob([new Uint8Array(bytes)]),
    () => null,
  );
}

async function isCreated(folder: string): Promise<boolean> {
  return readFile(join(folder, "PG_VERSION")).then(
    () => true,
    () => false,
  );
}

/**
 * Opens the database in `folder`, creating and migrating it when needed. PGlite takes no lock of its own: the caller
 * holds the data directory's lock before and until after `close`.
 * @throws DriverError `rejected` when the disk is full, `unreachable` otherwise
 */
export async function openPgliteStore(folder: string): Promise<ControllerStore> {
  try {
    const blank = (await isCreated(folder)) ? null : await template();
    const database = await PGlite.create({ dataDir: folder, ...(blank === null ? {} : { loadDataDir: blank }) });
    await migrate(database as never);
    return sqlStore(database as never);
  } catch (error) {
    throw storeError(error);
  }
}

/** A database in memory, for tests of what only SQL does. */
export async function openPgliteMemoryStore(): Promise<ControllerStore> {
  const blank = await template();
  const database = await PGlite.create(blank === null ? {} : { loadDataDir: blank });
  await migrate(database as never);
  return sqlStore(database as never);
}
