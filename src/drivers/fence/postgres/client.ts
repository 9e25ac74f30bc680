import type { FenceRecord } from "../../../core/fence/record.ts";
import { DriverError } from "../../../ports/driver-error.ts";

/** The one member of a PostgreSQL client we call: a `pg` Pool or Client, or a PGlite database. */
export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

export interface FenceRow {
  /** The server's time when the row was read. */
  readonly now_ms: number;
  readonly scope: string;
  readonly key: string;
  readonly kind: FenceRecord["kind"];
  readonly state: FenceRecord["state"];
  readonly fingerprint: string;
  readonly attempt_id: string;
  /** `pg` gives bigint as text. */
  readonly token: string | number;
  readonly beat: number;
  readonly lease_until_ms: number;
  readonly effect_key: string | null;
  readonly note: string;
  readonly result: string | null;
  readonly created_at_ms: number;
  readonly expires_at_ms: number | null;
}

export function recordOf(row: FenceRow): FenceRecord {
  const { scope, key, kind, state, fingerprint, beat, note, result } = row;
  return {
    scope,
    key,
    kind,
    state,
    fingerprint,
    beat,
    note,
    result,
    attemptId: row.attempt_id,
    token: Number(row.token),
    leaseUntilMs: row.lease_until_ms,
    effectKey: row.effect_key,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
  };
}

/**
 * Rolled back by the server because of other transactions: nothing happened. The last three are here for two migrations
 * at once, which collide in the catalogue in spite of `if not exists`; our own inserts all say `on conflict do nothing`.
 */
const ROLLED_BACK = new Set(["40P01", "40001", "23505", "42710", "42P07"]);

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? "");
}

/** SQLSTATE classes 42 (syntax, access) and 22 (data) and 28 (authorization) never get better by asking again. */
function driverError(error: unknown): DriverError {
  const [code, message] = [codeOf(error), error instanceof Error ? error.message : String(error)];
  const what = `fence/postgres: ${message}`;
  if (code.startsWith("28") || code === "42501") return new DriverError("unauthorized", "never", what, error);
  const hint = code === "42P01" ? "; run migrate() first" : "";
  if (code.startsWith("42") || code.startsWith("22")) return new DriverError("rejected", "never", what + hint, error);
  return new DriverError("unreachable", "safe", what, error);
}

const ROLLBACK_TRIES = 8;

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
