import { DriverError } from "../../../ports/driver-error.ts";

/** What the database says of files that may not grow, where it lives to say it, and the system's code for it. */
const FULL: readonly (readonly [RegExp, string])[] = [
  [/File too large/i, "EFBIG"],
  [/No space left on device/i, "ENOSPC"],
  [/Disk quota exceeded/i, "EDQUOT"],
  [/Read-only file system/i, "EROFS"],
];

/** A failed statement as the error callers switch on; `growthCode` is what a trial write beside the database met. */
export function storeError(error: unknown, growthCode: string | null): DriverError {
  const message = error instanceof Error ? error.message : String(error);
  const code = growthCode ?? FULL.find(([said]) => said.test(message))?.[1] ?? null;
  if (code !== null) {
    const advice = "the disk is full or files may not grow; free space and start again, nothing committed is lost";
    return new DriverError("rejected", "safe", `the store failed (${code}): ${advice}`, error);
  }
  return new DriverError(
    "unreachable",
    "never", // In this process: the database in it has ended.
    `the store failed: ${message}; nothing of this change was stored`,
    error,
  );
}
