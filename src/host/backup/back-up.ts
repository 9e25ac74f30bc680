import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { copyPgliteStore } from "../../drivers/store/pglite/index.ts";
import { InputError } from "../../probe/input-error.ts";
import { lockDataDirectory } from "../data-directory-lock.ts";
import { type CopyRows, writeBackup } from "./backup-file.ts";

/** A backup of the controller that runs in this process, as a body. It lies on the disk while it is read, nameless. */
export async function backupBody(
  dataDir: string,
  takenAt: number,
  copy: CopyRows,
): Promise<ReadableStream<Uint8Array>> {
  const path = join(dataDir, `backup.${randomBytes(8).toString("hex")}`);
  try {
    await writeBackup(path, dataDir, takenAt, copy);
    const file = await open(path, "r");
    return Readable.toWeb(file.createReadStream()) as ReadableStream<Uint8Array>;
  } finally {
    await rm(path, { force: true });
  }
}

/**
 * Writes a backup of a data directory whose controller is stopped; it is held as a controller would hold it meanwhile.
 * @returns the process that owns the directory, with nothing written; null when the backup is there
 * @throws InputError when there is no database to copy
 */
export async function backUpStopped(path: string, dataDir: string, takenAt: number): Promise<number | null> {
  const database = join(dataDir, "database");
  if (!existsSync(join(database, "PG_VERSION"))) {
    const advice = "name the data directory of a controller with --data";
    throw new InputError("file", `there is no database in ${dataDir}; ${advice}`);
  }
  const locked = await lockDataDirectory(dataDir);
  if (locked.kind === "taken") return locked.owner.pid;
  try {
    await writeBackup(path, dataDir, takenAt, (take) => copyPgliteStore(database, take));
    return null;
  } finally {
    await locked.lock.release();
  }
}
