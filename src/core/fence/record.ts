/**
 * `locked`: an attempt holds the lease. `done`: the final result is kept. `unknown`: an attempt's lease ran out and
 * nobody can say what it did; only its owner or a person may settle it. `free`: a lease nobody holds, kept for its
 * token.
 */
export type FenceState = "locked" | "done" | "unknown" | "free";

/** One key of the fence as a store keeps it. Store times are the store's own clock and mean nothing elsewhere. */
export interface FenceRecord {
  readonly scope: string;
  readonly key: string;
  /** `work` is swept after its retention; `lease` stays for ever, because its token counts by one. */
  readonly kind: "work" | "lease";
  readonly state: FenceState;
  /** What the key was first used for; the same key with another fingerprint is refused. */
  readonly fingerprint: string;
  /** Owner. With `token` it is the only right to complete, renew or delete (I22). */
  readonly attemptId: string;
  /** Grows with every grant and never falls, not even after the record was deleted (I8). */
  readonly token: number;
  /** Renewals of this grant; with (state, token) it is the record's version for compare-and-set. */
  readonly beat: number;
  readonly leaseUntilMs: number;
  /** Key under which the effect itself refuses a second run; null when it cannot. */
  readonly effectKey: string | null;
  /** Free text of the owner, at most 256 characters: release of a lease holder, `started` of a stream. */
  readonly note: string;
  /** What `complete` stored; null unless `done`. */
  readonly result: string | null;
  readonly createdAtMs: number;
  /** When a `done` record may be swept; null for every other state: locked and unknown records are never swept. */
  readonly expiresAtMs: number | null;
}

/** The version a writer saw; a write with an older one is refused. */
export type RecordVersion = Pick<FenceRecord, "state" | "token" | "beat">;

export interface ClaimRequest {
  readonly scope: string;
  readonly key: string;
  readonly fingerprint: string;
  /** Unique for each attempt, at least 96 random bits. Claims for work may be sent again when their answer was lost. */
  readonly attemptId: string;
  readonly leaseMs: number;
  readonly effectKey: string | null;
  readonly note: string;
  readonly kind: "work" | "lease";
  /**
   * Leases only: the version a candidate watched unchanged for a whole lease time on its own monotonic clock. It is
   * taken over if it is still that version; null takes over nothing. The store's clock has no say.
   */
  readonly observed: { readonly token: number; readonly beat: number } | null;
}

export type Claim =
  /** Ours. `resumed`: an earlier attempt held it and may have run the effect under the same effect key. */
  | { readonly kind: "held"; readonly token: number; readonly resumed: boolean }
  | { readonly kind: "done"; readonly token: number; readonly result: string }
  | {
      readonly kind: "busy";
      readonly token: number;
      readonly beat: number;
      readonly attemptId: string;
      readonly note: string;
      readonly retryAfterMs: number;
    }
  | { readonly kind: "unknown"; readonly token: number; readonly note: string }
  | { readonly kind: "mismatch" };

/** What a store does with a claim: answer, or write the named change under compare-and-set and then answer. */
export type ClaimDecision =
  | { readonly kind: "answer"; readonly claim: Claim }
  | { readonly kind: "grant"; readonly resumed: boolean }
  | { readonly kind: "mark-unknown" };

const answer = (claim: Claim): ClaimDecision => ({ kind: "answer", claim });

/** The answer about a record somebody else holds. */
function busy(record: FenceRecord, retryAfterMs: number): ClaimDecision {
  const { token, beat, attemptId, note } = record;
  return answer({ kind: "busy", token, beat, attemptId, note, retryAfterMs: Math.max(1, Math.ceil(retryAfterMs)) });
}

function decideLease(record: FenceRecord, request: ClaimRequest, nowMs: number): ClaimDecision {
  if (record.state === "free") return { kind: "grant", resumed: false };
  const seen = request.observed;
  if (seen !== null && seen.token === record.token && seen.beat === record.beat)
    return { kind: "grant", resumed: true };
  return busy(record, record.leaseUntilMs - nowMs);
}

/**
 * The outcome table of the fence. `nowMs` is the store's clock.
 * @source reliability.md, Semantics, Idempotency-Key
 */
export function decideClaim(record: FenceRecord | null, request: ClaimRequest, nowMs: number): ClaimDecision {
  if (record === null) return { kind: "grant", resumed: false };
  if (record.state === "done" && record.expiresAtMs !== null && record.expiresAtMs <= nowMs) {
    return { kind: "grant", resumed: false }; // Past its retention: as good as swept.
  }
  if (record.fingerprint !== request.fingerprint || record.kind !== request.kind) return answer({ kind: "mismatch" });
  if (record.kind === "lease") return decideLease(record, request, nowMs);
  const isOurs = record.state === "locked" && record.attemptId === request.attemptId;
  if (isOurs) return answer({ kind: "held", token: record.token, resumed: false }); // The first answer was lost.
  if (record.state === "done") return answer({ kind: "done", token: record.token, result: record.result ?? "" });
  if (record.state === "unknown") return answer({ kind: "unknown", token: record.token, note: record.note });
  if (record.leaseUntilMs > nowMs) return busy(record, record.leaseUntilMs - nowMs);
  const isFenced = record.effectKey !== null && record.effectKey === request.effectKey;
  return isFenced ? { kind: "grant", resumed: true } : { kind: "mark-unknown" };
}

/** Token of the next grant: a lease counts by one, work takes the store's counter, which outlives every record. */
export function nextToken(record: FenceRecord | null, request: ClaimRequest, nextOfStore: () => number): number {
  return request.kind === "lease" ? (record?.token ?? 0) + 1 : nextOfStore();
}

export function granted(request: ClaimRequest, token: number, nowMs: number): FenceRecord {
  const { scope, key, kind, fingerprint, attemptId, effectKey, note, leaseMs } = request;
  const times = { leaseUntilMs: nowMs + leaseMs, createdAtMs: nowMs, expiresAtMs: null };
  return {
    scope,
    key,
    kind,
    state: "locked",
    fingerprint,
    attemptId,
    token,
    beat: 0,
    effectKey,
    note,
    result: null,
    ...times,
  };
}

/** Who asks to write: the attempt and the token it was granted. */
export interface FenceOwner {
  readonly scope: string;
  readonly key: string;
  readonly attemptId: string;
  readonly token: number;
}

/** `superseded`: a newer grant exists, or the key was settled by somebody else. `missing`: no record any more. */
export type OwnerAnswer = "stored" | "superseded" | "missing";

/**
 * May this owner write a result? `stored` without a write when it already did: a lost reply is asked for again.
 * An owner whose lease ran out but whom nobody replaced may still complete, also from `unknown`: it knows what
 * happened.
 */
export function decideComplete(record: FenceRecord | null, owner: FenceOwner): "write" | OwnerAnswer {
  if (record === null) return "missing";
  if (record.attemptId !== owner.attemptId || record.token !== owner.token) return "superseded";
  if (record.state === "done") return "stored";
  return record.state === "free" ? "superseded" : "write";
}

/** May this owner renew or give back? Only while it is locked under its own token. */
export function isHolder(record: FenceRecord | null, owner: FenceOwner): record is FenceRecord {
  if (record === null || record.state !== "locked") return false;
  return record.attemptId === owner.attemptId && record.token === owner.token;
}

export function completed(record: FenceRecord, result: string, retentionMs: number, nowMs: number): FenceRecord {
  return { ...record, state: "done", result, expiresAtMs: nowMs + retentionMs };
}

export function renewed(record: FenceRecord, leaseMs: number, note: string | null, nowMs: number): FenceRecord {
  return { ...record, beat: record.beat + 1, leaseUntilMs: nowMs + leaseMs, note: note ?? record.note };
}

/** Owner of a record that a person settled: no attempt has this name, so a late owner is refused. */
export function settlerId(by: string): string {
  return `settled:${by.replace(/\s+/g, " ")}`;
}

/** After the owner gave it back: a lease stays, free, for its token; work is deleted (null). */
export function released(record: FenceRecord): FenceRecord | null {
  return record.kind === "lease" ? { ...record, state: "free", beat: record.beat + 1 } : null;
}

/** True when a sweeper may delete it. */
export function isSweepable(record: FenceRecord, nowMs: number): boolean {
  return (
    record.kind === "work" && record.state === "done" && record.expiresAtMs !== null && record.expiresAtMs <= nowMs
  );
}
