import { canonicalJson } from "../core/canonical-json.ts";
import type { ClaimRequest, FenceOwner } from "../core/fence/record.ts";
import type { Clock } from "../ports/clock.ts";
import type { FenceStore } from "../ports/fence-store.ts";
import type { Random } from "../ports/random.ts";
import { type Heartbeat, type HeartbeatTimes, LEASE_TIMES, startHeartbeat } from "./heartbeat.ts";
import { withTimeout } from "./store-call.ts";
import { attemptIdOf, systemClock, systemRandom } from "./system.ts";

/** Scope of every lease, so that no idempotency key can be one. */
const LEASE_SCOPE = "lease";

export interface LeaseOptions {
  readonly store: FenceStore;
  /** What is owned: a queue partition (`jobs/7`) or a section (`emit:eu-west`). Never contains the release. */
  readonly resource: string;
  /** Who would own it; read by the others. @source definitions.md §7, QJ-7 */
  readonly releaseId: string;
  readonly times?: HeartbeatTimes;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly storeTimeoutMs?: number;
}

/** Ownership of one resource for a while. */
export interface Lease {
  readonly resource: string;
  readonly releaseId: string;
  /**
   * The epoch: one more than the last grant's, for ever. Send it with every command; the resource refuses a lower one.
   */
  readonly token: number;
  readonly signal: AbortSignal;
  /** Ask right before every effect. Turns false at self-stop, before anybody else can be granted the resource. */
  isHeld(): boolean;
  /** Hands over at once; the next holder need not wait. */
  release(): Promise<boolean>;
  /**
   * Moves the resource to another release under the next token (every flip, promote and rollback). Null when it was
   * lost.
   */
  flip(releaseId: string): Promise<Lease | null>;
}

/** Who a store says holds a resource, and under which token. */
export interface LeaseHolder {
  readonly releaseId: string;
  readonly token: number;
  readonly held: boolean;
}

/** The owner's note in the record: what others may know about the holder. */
interface HolderNote {
  readonly release_id: string;
  readonly ttl_ms: number;
}

const noteOf = (releaseId: string, times: HeartbeatTimes) =>
  canonicalJson({ release_id: releaseId, ttl_ms: times.ttlMs });

interface LeaseContext extends Required<Pick<LeaseOptions, "store" | "resource" | "clock" | "random" | "times">> {
  readonly storeTimeoutMs: number;
}

function claimFor(context: LeaseContext, releaseId: string, observed: ClaimRequest["observed"]): ClaimRequest {
  const { resource, times, random } = context;
  const identity = { scope: LEASE_SCOPE, key: resource, fingerprint: "", attemptId: attemptIdOf(random) };
  const note = noteOf(releaseId, times);
  return { ...identity, leaseMs: times.ttlMs, effectKey: null, note, kind: "lease", observed };
}

function openLease(context: LeaseContext, releaseId: string, owner: FenceOwner, grantedAtMs: number): Lease {
  const { store, clock, times, storeTimeoutMs } = context;
  const renew = () => withTimeout(clock, storeTimeoutMs, "renew", store.renew(owner, times.ttlMs, null));
  const heartbeat: Heartbeat = startHeartbeat(clock, times, grantedAtMs, renew);
  return {
    resource: context.resource,
    releaseId,
    token: owner.token,
    signal: heartbeat.signal,
    isHeld: heartbeat.isHeld,
    release() {
      heartbeat.stop();
      return store.release(owner);
    },
    async flip(nextReleaseId) {
      if (!heartbeat.isHeld()) return null;
      heartbeat.stop(); // The old token stops issuing before the new one exists.
      for (;;) {
        const record = await store.read(owner.scope, owner.key);
        const isOurs =
          record?.state === "locked" && record.attemptId === owner.attemptId && record.token === owner.token;
        if (!isOurs) return null;
        const claim = claimFor(context, nextReleaseId, { token: record.token, beat: record.beat });
        const sentAtMs = clock.monoMs();
        const answer = await store.claim(claim);
        if (answer.kind !== "held") continue; // A renewal sent before the stop arrived late: read again.
        const next = { ...owner, attemptId: claim.attemptId, token: answer.token };
        return openLease(context, nextReleaseId, next, sentAtMs);
      }
    },
  };
}

function holderTtlMs(note: string, ownTtlMs: number): number {
  try {
    return Math.max(ownTtlMs, Number((JSON.parse(note) as HolderNote).ttl_ms) || 0);
  } catch {
    return ownTtlMs;
  }
}

/**
 * Waits until the resource is ours, or `signal` aborts (null). A held resource is taken over only after its record was
 * seen unchanged for a full lease time on our own monotonic clock: no wall clock, ours or the store's, gives or takes a
 * lease. An unreachable store is asked again every renewal interval.
 * @source reliability.md, Leases and fencing
 */
export async function acquireLease(options: LeaseOptions, signal: AbortSignal): Promise<Lease | null> {
  const { store, resource, releaseId, times = LEASE_TIMES, clock = systemClock, random = systemRandom } = options;
  const { storeTimeoutMs = 2_000 } = options;
  const context: LeaseContext = { store, resource, clock, random, times, storeTimeoutMs };
  let seen: { token: number; beat: number; sinceMs: number; ttlMs: number } | null = null;
  while (!signal.aborted) {
    const sentAtMs = clock.monoMs();
    const isStale = seen !== null && sentAtMs - seen.sinceMs >= seen.ttlMs;
    const claim = claimFor(
      context,
      releaseId,
      isStale && seen !== null ? { token: seen.token, beat: seen.beat } : null,
    );
    const answer = await withTimeout(clock, storeTimeoutMs, "claim", store.claim(claim)).catch(() => null);
    if (answer?.kind === "held") {
      const owner = { scope: LEASE_SCOPE, key: resource, attemptId: claim.attemptId, token: answer.token };
      return openLease(context, releaseId, owner, sentAtMs);
    }
    if (answer?.kind === "busy" && (seen === null || seen.token !== answer.token || seen.beat !== answer.beat)) {
      const ttlMs = holderTtlMs(answer.note, times.ttlMs);
      seen = { token: answer.token, beat: answer.beat, sinceMs: clock.monoMs(), ttlMs };
    }
    // A store that fails is not asked again at once, however stale the record it last showed.
    const untilStaleMs = seen === null || answer === null ? times.renewMs : seen.sinceMs + seen.ttlMs - clock.monoMs();
    await clock.sleep(Math.min(times.renewMs, Math.max(1, untilStaleMs)), signal);
  }
  return null;
}

/** Who holds a resource now, as the store says; null when nobody ever did. */
export async function readLease(store: FenceStore, resource: string): Promise<LeaseHolder | null> {
  const record = await store.read(LEASE_SCOPE, resource);
  if (record === null) return null;
  const { release_id } = JSON.parse(record.note) as HolderNote;
  return { releaseId: release_id, token: record.token, held: record.state === "locked" };
}
