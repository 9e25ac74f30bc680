import { DriverError } from "../../../ports/driver-error.ts";

/** A failed statement as the error callers switch on; `growthCode` is what a trial write beside the database met. */
export function storeError(error: unknown, growthCode: string | null): DriverError {
  const message = error instanceof Error ? error.message : String(error);
  if (growthCode !== null) {
    const advice = "the disk is full or files may not grow; free space and start again, nothing committed is lost";
    return new DriverError("rejected", "safe", `the store failed (${growthCode}): ${advice}`, error);
  }
  return new DriverError(
    "unreachable",
    "never", // In this process: the database in it has ended.
    `the store failed: ${message}; nothing of this change was stored`,
    error,
  );
}
