import { DriverError } from "../../../ports/driver-error.ts";

/** The one member of a PostgreSQL client we call: a `pg` Pool or Client, or a PGlite database. */
export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/**
 * Rolled back by the server because of other transactions: nothing happened. The last three are two migrations at once,
 * which collide in the catalogue in spite of `if not exists`; our own inserts all say what to do on a conflict.
 */
const ROLLED_BACK = new Set(["40P01", "40001", "23505", "42710", "42P07"]);
const ROLLBACK_TRIES = 8;

const codeOf = (error: unknown) => String((error as { code?: unknown } | null)?.code ?? "");

/** SQLSTATE classes 42 (syntax, access), 22 (data) and 28 (authorization) never get better by asking again. */
function driverError(error: unknown): DriverError {
  const [code, message] = [codeOf(error), error instanceof Error ? error.message : String(error)];
  const what = `inbox/postgres: ${message}`;
  if (code.startsWith("28") || code === "42501") return new DriverError("unauthorized", "never", what, error);
  const hint = code === "42P01" ? "; run migrate() first" : "";
  if (code.startsWith("42") || code.startsWith("22")) return new DriverError("rejected", "never", what + hint, error);
  return new DriverError("unreachable", "safe", what, error);
}

/** Runs one statement; a statement the server rolled back is sent again. Every other failure is a DriverError. */
export async function queryRows<Row>(client: PostgresClient, text: string, values: unknown[]): Promise<readonly Row[]> {
  for (let left = ROLLBACK_TRIES; ; left--) {
    try {
      return (await client.query(text, values)).rows as readonly Row[];
    } catch (error) {
      if (left > 1 && ROLLED_BACK.has(codeOf(error))) continue;
      throw driverError(error);
    }
  }
}
