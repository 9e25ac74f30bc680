import { rm, writeFile } from "node:fs/promises";

/** More than one page of the database, so that a limit it runs into is met here too. */
const TRIAL_BYTES = 262_144;

/** Codes of a file system that takes no more; anything else is another story. */
const FULL = new Set(["ENOSPC", "EFBIG", "EDQUOT", "EROFS"]);

/**
 * Whether files beside `folder` may grow: the system's error code when they may not, null when they may. The database
 * runs as WebAssembly and dies of a full disk without saying so.
 */
export async function growthProblem(folder: string): Promise<string | null> {
  const trial = `${folder}.trial`;
  try {
    await writeFile(trial, new Uint8Array(TRIAL_BYTES));
    return null;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    return FULL.has(code) ? code : null;
  } finally {
    await rm(trial, { force: true }).catch(() => {});
  }
}
