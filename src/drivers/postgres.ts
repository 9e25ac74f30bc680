import { DriverError } from "../ports/driver-error.ts";

/** The one member of a PostgreSQL client we call: a `pg` Pool or Client, a PGlite database or its transaction. */
export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

type Query = <Row>(client: PostgresClient, text: string, values: unknown[]) => Promise<readonly Row[]>;

/** How every driver on PostgreSQL asks it. */
export interface PostgresQueries {
  /** Runs one statement on its own; one that the server rolled back is sent again. Other failures are a DriverError. */
  readonly queryRows: Query;
  /**
   * Runs one statement of the caller's transaction. A failure has ended that transaction, so nothing is sent again
   * here: `safe` means that the caller may run the whole transaction again.
   */
  readonly queryInside: Query;
}

/**
 * Rolled back by the server because of other transactions: nothing happened. The last three are two migrations at once,
 * which collide in the catalogue in spite of `if not exists`; our own inserts all say what to do on a conflict.
 * @source PostgreSQL documentation, appendix A "Error Codes"
 */
const ROLLED_BACK = new Set(["40P01", "40001", "23505", "42710", "42P07"]);
const ROLLBACK_TRIES = 8;

const codeOf = (error: unknown) => String((error as { code?: unknown } | null)?.code ?? "");

/** SQLSTATE classes 22 (data), 28 (authorization) and 42 (syntax, access) never get better by asking again. */
function driverError(driver: string, error: unknown): DriverError {
  if (error instanceof DriverError) return error; // Of a client that has to find its password first.
  const [code, message] = [codeOf(error), error instanceof Error ? error.message : String(error)];
  const what = `${driver}: ${message}`;
  if (code.startsWith("28") || code === "42501") return new DriverError("unauthorized", "never", what, error);
  const hint = code === "42P01" ? "; run migrate() first" : "";
  if (code.startsWith("42") || code.startsWith("22")) return new DriverError("rejected", "never", what + hint, error);
  return new DriverError("unreachable", "safe", what, error);
}

/** Queries whose errors name the driver, e.g. `outbox/postgres`. */
export function postgresQueries(driver: string): PostgresQueries {
  return {
    async queryRows<Row>(client: PostgresClient, text: string, values: unknown[]): Promise<readonly Row[]> {
      for (let left = ROLLBACK_TRIES; ; left--) {
        try {
          return (await client.query(text, values)).rows as readonly Row[];
        } catch (error) {
          if (left > 1 && ROLLED_BACK.has(codeOf(error))) continue;
          throw driverError(driver, error);
        }
      }
    },
    async queryInside<Row>(client: PostgresClient, text: string, values: unknown[]): Promise<readonly Row[]> {
      try {
        return (await client.query(text, values)).rows as readonly Row[];
      } catch (error) {
        throw driverError(driver, error);
      }
    },
  };
}

/** A table name that needs no quoting: letters, digits, `_`, with an optional schema. */
const TABLE_NAME = /^[a-z_][a-z0-9_]{0,40}(\.[a-z_][a-z0-9_]{0,40})?$/;

/** Returns the name, or throws an invariant error: it becomes part of statements. */
export function plainTable(table: string): string {
  if (!TABLE_NAME.test(table)) {
    throw new Error(`invariant: not a plain table name, which is lower-case letters, digits and _: ${table}`);
  }
  return table;
}
