import type { FenceRecord } from "../../../core/fence/record.ts";
import { postgresQueries } from "../../postgres.ts";

export type { PostgresClient } from "../../postgres.ts";

export const { queryRows } = postgresQueries("fence/postgres");

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
