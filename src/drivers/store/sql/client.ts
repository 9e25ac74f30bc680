import type { Read } from "../../../core/rollout/stored-form.ts";
import { DriverError } from "../../../ports/driver-error.ts";

/** The part of a PostgreSQL client we call; PGlite and a transaction of it both have it. */
export interface SqlClient {
  query<Row>(text: string, values?: unknown[]): Promise<{ rows: Row[]; affectedRows?: number }>;
}

export interface SqlDatabase extends SqlClient {
  /** One statement that is a transaction of its own; a failure is what that of `transaction` would be. */
  alone<Row>(text: string, values: unknown[]): Promise<Row[]>;
  /** Commits when `work` resolves, rolls back when it rejects. */
  transaction<T>(work: (client: SqlClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Thrown inside a transaction to undo it; never leaves the store. */
export class Stale extends Error {}

/** Writes exactly one row. @throws Stale when there is none to write, or another one in its place */
export async function one(client: SqlClient, text: string, values: unknown[]): Promise<void> {
  const { affectedRows } = await client.query(text, values);
  if (affectedRows !== 1) throw new Stale();
}

/** What was read. @throws DriverError `rejected` where a newer version wrote it */
export function known<T>(found: Read<T>): T {
  if (found.kind === "read") return found.value;
  throw new DriverError("rejected", "never", found.text);
}
