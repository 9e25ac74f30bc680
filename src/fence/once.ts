import type { Claim, ClaimRequest, FenceOwner, OwnerAnswer } from "../core/fence/record.ts";
import type { Clock } from "../ports/clock.ts";
import type { FenceStore } from "../ports/fence-store.ts";
import type { Random } from "../ports/random.ts";
import { startHeartbeat, timesFor } from "./heartbeat.ts";
import { apiWriteRetentionMs } from "./retention.ts";
import { resend, withTimeout } from "./store-call.ts";
import { attemptIdOf, systemClock, systemRandom } from "./system.ts";

export interface FenceOptions {
  readonly store: FenceStore;
  readonly clock?: Clock;
  readonly random?: Random;
  /**
   * Short: a crashed attempt blocks its key this long. Running work renews it, so it need not cover the work. Default
   * 10 s.
   */
  readonly leaseMs?: number;
  /**
   * How long the rollout of a release may take. A result is replayed for at least a day longer, so that what one
   * release did is not done again by the next one (ID-5).
   */
  readonly releaseWindowMs?: number;
  /** How long a result is replayed. Default 72 h, or the release window and 24 h where that is longer. */
  readonly retentionMs?: number;
  /** Longest wait for one answer of the store; after it the store counts as unreachable. Default 2 s. */
  readonly storeTimeoutMs?: number;
}

export interface KeyRequest {
  readonly scope: string;
  readonly key: string;
  /** Digest of the input; the same key with another one is refused. Default: none, every use of the key is the same. */
  readonly fingerprint?: string;
  /**
   * Set it only when the effect itself refuses a second run under this key (a provider's idempotency key, a unique
   * row). Then an attempt that crashed is resumed; without it the outcome is unknown and never run again blindly.
   */
  readonly effectKey?: string | null;
  readonly note?: string;
}

/** A key held by this attempt. Every write goes through the owner check of the store. */
export interface HeldKey {
  readonly owner: FenceOwner;
  /** Pass it to every resource that can refuse an older one. */
  readonly token: number;
  readonly resumed: boolean;
  /** Aborts when the lease was lost: stop issuing effects. */
  readonly signal: AbortSignal;
  isHeld(): boolean;
  complete(result: string): Promise<OwnerAnswer>;
  /** Ends the lease now: the next claim resumes (fenced by an effect key) or says unknown. For work that failed. */
  expire(): Promise<void>;
  /** Forgets the key. Only when no effect was started. */
  release(): Promise<boolean>;
  /** Writes the owner's note under the owner check; false when the owner was replaced. */
  annotate(note: string): Promise<boolean>;
}

export type KeyAnswer = { readonly kind: "held"; readonly held: HeldKey } | Exclude<Claim, { readonly kind: "held" }>;

/** Tries for one store call that is safe to send again. */
const STORE_TRIES = 3;

function openHeld(options: FenceOptions, owner: FenceOwner, resumed: boolean, grantedAtMs: number): HeldKey {
  const {
    store,
    clock = systemClock,
    leaseMs = 10_000,
    retentionMs = apiWriteRetentionMs(options.releaseWindowMs ?? 0),
    storeTimeoutMs = 2_000,
  } = options;
  const ask = <T>(what: string, call: () => Promise<T>) =>
    resend(STORE_TRIES, () => withTimeout(clock, storeTimeoutMs, what, call()));
  const heartbeat = startHeartbeat(clock, timesFor(leaseMs), grantedAtMs, () => store.renew(owner, leaseMs, null));
  return {
    owner,
    token: owner.token,
    resumed,
    signal: heartbeat.signal,
    isHeld: heartbeat.isHeld,
    async complete(result) {
      try {
        return await ask("complete", () => store.complete(owner, result, retentionMs));
      } finally {
        heartbeat.stop();
      }
    },
    async expire() {
      heartbeat.stop();
      await ask("expire", () => store.renew(owner, 0, null)).catch(() => false); // The lease runs out by itself then.
    },
    async release() {
      heartbeat.stop();
      return ask("release", () => store.release(owner));
    },
    annotate: (note) => ask("annotate", () => store.renew(owner, leaseMs, note)),
  };
}

/**
 * Claims a key. The answer is a value for everything the outcome table knows; an unreachable store throws `DriverError`
 * and nothing may be run. A claim whose answer came too late is given back.
 */
export async function claimKey(options: FenceOptions, request: KeyRequest): Promise<KeyAnswer> {
  const { store, clock = systemClock, random = systemRandom, leaseMs = 10_000, storeTimeoutMs = 2_000 } = options;
  const { scope, key, fingerprint = "", effectKey = null, note = "" } = request;
  const attemptId = attemptIdOf(random);
  const claim: ClaimRequest = {
    scope,
    key,
    fingerprint,
    effectKey,
    note,
    attemptId,
    leaseMs,
    kind: "work",
    observed: null,
  };
  let isAbandoned = false;
  const grantedAtMs = clock.monoMs();
  const send = async (): Promise<Claim> => {
    const answer = await store.claim(claim);
    if (isAbandoned && answer.kind === "held") await store.release({ scope, key, attemptId, token: answer.token });
    return answer;
  };
  const answer = await resend(STORE_TRIES, () => withTimeout(clock, storeTimeoutMs, "claim", send())).catch((error) => {
    isAbandoned = true;
    throw error;
  });
  if (answer.kind !== "held") return answer;
  const owner = { scope, key, attemptId, token: answer.token };
  return { kind: "held", held: openHeld(options, owner, answer.resumed, grantedAtMs) };
}

export type OnceOutcome<R> =
  /** `replayed`: an earlier attempt did it and this is what it stored. */
  | { readonly kind: "done"; readonly result: R; readonly replayed: boolean; readonly token: number }
  /** Another attempt took the key over while ours ran; our result was discarded. Audit it as stale. */
  | { readonly kind: "superseded"; readonly token: number }
  /** The work ended but the store did not confirm the result. Do not acknowledge; a later claim settles it. */
  | { readonly kind: "unrecorded"; readonly result: R; readonly token: number; readonly cause: unknown }
  | Exclude<Claim, { readonly kind: "held" | "done" }>;

/**
 * Runs `work` so that at most one result is ever committed for the key, and replays it to everybody else. The result
 * must survive JSON. A throw of `work`, or a result that JSON cannot hold, ends the lease and is passed on: with an
 * effect key the next caller resumes, without one the outcome is unknown until somebody settles it.
 */
export async function once<R>(
  options: FenceOptions,
  request: KeyRequest,
  work: (held: HeldKey) => Promise<R>,
): Promise<OnceOutcome<R>> {
  const answer = await claimKey(options, request);
  if (answer.kind === "done") {
    return { kind: "done", result: JSON.parse(answer.result) as R, replayed: true, token: answer.token };
  }
  if (answer.kind !== "held") return answer;
  const { held } = answer;
  let result: R;
  let text: string;
  try {
    result = await work(held);
    text = JSON.stringify(result) ?? "null"; // Throws on a result that JSON cannot hold, after the work was done.
  } catch (error) {
    await held.expire();
    throw error;
  }
  const stored = await held.complete(text).catch((cause: unknown) => ({ cause }));
  if (typeof stored === "object") return { kind: "unrecorded", result, token: held.token, cause: stored.cause };
  if (stored !== "stored") return { kind: "superseded", token: held.token };
  return { kind: "done", result, replayed: false, token: held.token };
}
