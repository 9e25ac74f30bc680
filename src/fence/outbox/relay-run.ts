import { assert } from "../../core/assert.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ClaimedRow, OutboxStore } from "../../ports/outbox-store.ts";
import type { Random } from "../../ports/random.ts";
import { timesFor } from "../heartbeat.ts";
import type { Lease } from "../lease.ts";
import { resend, withTimeout } from "../store-call.ts";
import { attemptIdOf, systemClock, systemRandom } from "../system.ts";

/**
 * What `send` found out. It must say `unknown`, by the word or by a throw, whenever the receiver may have the event.
 */
export type SendAnswer =
  | { readonly kind: "sent" }
  /** Not taken, worth another try: after `retryInMs`, or by the backoff without it. */
  | { readonly kind: "failed"; readonly reason: string; readonly retryInMs?: number }
  /** The receiver will never take it. */
  | { readonly kind: "dead"; readonly reason: string }
  | { readonly kind: "unknown"; readonly reason: string };

export interface SendTicket {
  /** The epoch of the grant it is sent under, for receivers that check one; 0 without a grant. */
  readonly epoch: number;
  /** Aborts when the send's time is over. */
  readonly signal: AbortSignal;
}

/** Sends one event. It hands `row.effectKey` on, and the receiver dedupes by it. */
export type Send = (row: ClaimedRow, ticket: SendTicket) => Promise<SendAnswer>;

/** What a relay tells its log. Errors of the store end nothing: the relay asks again. */
export type RelayEvent =
  | { readonly kind: "sent" | "failed" | "dead" | "released"; readonly row: ClaimedRow; readonly reason: string }
  /** Somebody else has claimed the row since; what we found out was discarded (I22). Audit it. */
  | { readonly kind: "stale"; readonly row: ClaimedRow; readonly reason: string }
  | { readonly kind: "stale-epoch"; readonly epoch: number }
  | { readonly kind: "store-failed"; readonly error: unknown };

export interface RelayOptions<Transaction> {
  readonly store: OutboxStore<Transaction>;
  readonly send: Send;
  /**
   * True when every receiver refuses a second run under the effect key: then an event that may have been sent is sent
   * again. False: it becomes a dead letter `unknown`, for a person to look at, and is never sent again blindly.
   */
  readonly sinkHonoursKey: boolean;
  /** Name for logs and for `locked_by`; a random part is added. Default `relay`. */
  readonly owner?: string;
  /** Grant under which events may leave (one arm, one region). The relay ends when it is no longer held (I14). */
  readonly grant?: Pick<Lease, "token" | "isHeld">;
  /** Sends at once. Default 8. */
  readonly concurrency?: number;
  /** How long a claimed row is ours. It is not renewed: no send runs beyond 7/10 of it. Default 30 s. */
  readonly leaseMs?: number;
  /** Longest send, at most half of `leaseMs`, which is the default: the rest is for the store's answers. */
  readonly sendTimeoutMs?: number;
  /** Longest wait for one answer of the store. Default 5 s. */
  readonly storeTimeoutMs?: number;
  /** Wait between two claims when nothing is due. Default 500 ms. */
  readonly pollMs?: number;
  /** Sends of a row, the first included, before it becomes a dead letter. Default 10. */
  readonly triesMax?: number;
  /** Full jitter: waits are uniform in 0..min(capMs, baseMs x 2^(tries-1)). Default 1 s and 1 h. */
  readonly backoff?: { readonly baseMs: number; readonly capMs: number };
  /**
   * Whether rows behind a dead letter of their order key leave (`skip`, the default) or wait for a person (`block`).
   */
  readonly afterDead?: "skip" | "block";
  /** Must not throw: that would end the relay. */
  readonly audit?: (event: RelayEvent) => void;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Why a relay ended: told to, no longer granted, or refused by the store because a newer epoch has claimed. */
export type RelayEnd = "aborted" | "grant-lost" | "stale-epoch";

/** A relay's options, filled in, and the calls it makes. */
export interface RelayRun {
  readonly store: OutboxStore<never>;
  readonly send: Send;
  readonly sinkHonoursKey: boolean;
  readonly owner: string;
  readonly epoch: number;
  readonly concurrency: number;
  readonly leaseMs: number;
  /** On the monotonic clock, from before the claim was sent: no send runs beyond it. */
  readonly selfStopMs: number;
  readonly sendTimeoutMs: number;
  readonly pollMs: number;
  readonly triesMax: number;
  readonly backoff: { readonly baseMs: number; readonly capMs: number };
  readonly afterDead: "skip" | "block";
  readonly clock: Clock;
  readonly random: Random;
  readonly audit: (event: RelayEvent) => void;
  /** Why no further send may begin; null while it may. */
  readonly end: () => RelayEnd | null;
  /** Sends a call to the store up to three times; its last error is passed on. */
  readonly ask: <T>(what: string, call: () => Promise<T>) => Promise<T>;
}

const STORE_TRIES = 3;
const DEFAULT_BACKOFF = { baseMs: 1_000, capMs: 3_600_000 };

function checkRun({ leaseMs, sendTimeoutMs, triesMax, concurrency }: RelayRun): void {
  const isShort = sendTimeoutMs > 0 && sendTimeoutMs <= leaseMs / 2;
  assert(isShort, `sendTimeoutMs is above 0 and at most half of leaseMs (${leaseMs}): ${sendTimeoutMs}`);
  for (const [name, value] of Object.entries({ triesMax, concurrency })) {
    assert(Number.isInteger(value) && value >= 1, `${name} is a positive integer: ${value}`);
  }
}

/** Fills in the options of one run of a relay. Throws an invariant error for options that cannot work. */
export function openRun<Transaction>(options: RelayOptions<Transaction>, signal: AbortSignal): RelayRun {
  const { store, send, sinkHonoursKey, grant, clock = systemClock, random = systemRandom } = options;
  const { leaseMs = 30_000, sendTimeoutMs = leaseMs / 2, storeTimeoutMs = 5_000, pollMs = 500 } = options;
  const { concurrency = 8, triesMax = 10, backoff = DEFAULT_BACKOFF, afterDead = "skip", audit = () => {} } = options;
  const run: RelayRun = {
    store,
    send,
    sinkHonoursKey,
    owner: `${options.owner ?? "relay"}/${attemptIdOf(random)}`,
    epoch: grant?.token ?? 0,
    concurrency,
    leaseMs,
    selfStopMs: timesFor(leaseMs).selfStopMs,
    sendTimeoutMs,
    pollMs,
    triesMax,
    backoff,
    afterDead,
    clock,
    random,
    audit,
    end: () => (signal.aborted ? "aborted" : grant?.isHeld() === false ? "grant-lost" : null),
    ask: (what, call) => resend(STORE_TRIES, () => withTimeout(clock, storeTimeoutMs, what, call())),
  };
  checkRun(run);
  return run;
}
