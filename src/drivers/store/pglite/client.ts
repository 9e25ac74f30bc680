import { DriverError } from "../../../ports/driver-error.ts";

/** The part of a PostgreSQL client we call; PGlite and a transaction of it both have it. */
export interface SqlClient {
  query<Row>(text: string, values?: unknown[]): Promise<{ rows: Row[]; affectedRows?: number }>;
}

export interface SqlDatabase extends SqlClient {
  /** Commits when `work` resolves, rolls back when it rejects. */
  transaction<T>(work: (client: SqlClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Thrown inside a transaction to undo it; never leaves this driver. */
export class Stale extends Error {}

/** A failed statement as the error callers switch on. The state on disk is as before the transaction. */
export function storeError(error: unknown): DriverError {
  const message = error instanceof Error ? error.message : String(error);
  const isFull = /No space left|ENOSPC|File too large|EFBIG|quota/i.test(message);
  const advice = isFull
    ? "the disk is full or files may not grow; free space and start again, nothing committed is lost"
    : "see the cause; nothing of this change was stored";
  return new DriverError(isFull ? "rejected" : "unreachable", "safe", `the store failed: ${message}; ${advice}`, error);
}
