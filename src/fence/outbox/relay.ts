import { assert } from "../../core/assert.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ClaimedBatch, ClaimedRow, ClaimOrder, OutboxClaim, OutboxStore } from "../../ports/outbox-store.ts";
import type { Random } from "../../ports/random.ts";
import { timesFor } from "../heartbeat.ts";
import type { Lease } from "../lease.ts";
import { resend, withTimeout } from "../store-call.ts";
import { attemptIdOf, systemClock, systemRandom } from "../system.ts";
import { deliverRow } from "./deliver-row.ts";

/** What `send` found out. It must say `unknown`, by the word or by a throw, whenever the receiver may have the event. */
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
  /** How long a claimed row is ours. It is not renewed: a send ends within 7/10 of it. Default 30 s. */
  readonly leaseMs?: number;
  /** Longest send, at most 7/10 of `leaseMs`. Default 15 s. */
  readonly sendTimeoutMs?: number;
  /** Longest wait for one answer of the store. Default 5 s. */
  readonly storeTimeoutMs?: number;
  /** Wait between two claims when nothing is due. Default 500 ms. */
  readonly pollMs?: number;
  /** Sends of a row, the first included, before it becomes a dead letter. Default 10. */
  readonly triesMax?: number;
  /** Full jitter: waits are uniform in 0..min(capMs, baseMs x 2^(tries-1)). Default 1 s and 1 h. */
  readonly backoff?: { readonly baseMs: number; readonly capMs: number };
  /** Whether rows behind a dead letter of their order key leave (`skip`, the default) or wait for a person (`block`). */
  readonly afterDead?: "skip" | "block";
  readonly audit?: (event: RelayEvent) => void;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Why a relay ended. */
export type RelayEnd = "aborted" | "grant-lost" | "stale-epoch";

/** A relay's options, filled in, and the calls it makes. */
export interface RelayRun {
  readonly send: Send;
  readonly sinkHonoursKey: boolean;
  readonly epoch: number;
  readonly owner: string;
  /** On the monotonic clock, from before the claim was sent: no send runs beyond it. */
  readonly selfStopMs: number;
  readonly sendTimeoutMs: number;
  readonly triesMax: number;
  readonly backoff: { readonly baseMs: number; readonly capMs: number };
  readonly clock: Clock;
  readonly random: Random;
  readonly audit: (event: RelayEvent) => void;
  isGranted(): boolean;
  /** Sends a call to the store up to three times; its last error is passed on. */
  ask<T>(what: string, call: () => Promise<T>): Promise<T>;
  readonly store: OutboxStore<never>;
}

const STORE_TRIES = 3;

function openRun<Transaction>(options: RelayOptions<Transaction>): RelayRun {
  const { clock = systemClock, random = systemRandom, leaseMs = 30_000, sendTimeoutMs = 15_000 } = options;
  const { triesMax = 10, backoff = { baseMs: 1_000, capMs: 3_600_000 }, storeTimeoutMs = 5_000, grant } = options;
  const { selfStopMs } = timesFor(leaseMs);
  const isShort = sendTimeoutMs > 0 && sendTimeoutMs <= selfStopMs;
  assert(isShort, `sendTimeoutMs is above 0 and at most 7/10 of leaseMs (${selfStopMs}): ${sendTimeoutMs}`);
  assert(Number.isInteger(triesMax) && triesMax >= 1, `triesMax is a positive integer: ${triesMax}`);
  return {
    store: options.store,
    send: options.send,
    sinkHonoursKey: options.sinkHonoursKey,
    owner: `${options.owner ?? "relay"}/${attemptIdOf(random)}`,
    epoch: grant?.token ?? 0,
    audit: options.audit ?? (() => {}),
    isGranted: () => grant?.isHeld() !== false,
    ask: (what, call) => resend(STORE_TRIES, () => withTimeout(clock, storeTimeoutMs, what, call())),
    ...{ selfStopMs, sendTimeoutMs, triesMax, backoff, clock, random },
  };
}

/** Claims rows; those of an answer that came too late are given back, because nobody will send them. */
async function claimRows(run: RelayRun, order: ClaimOrder): Promise<ClaimedBatch> {
  let isAbandoned = false;
  const claim = async (): Promise<ClaimedBatch> => {
    const batch = await run.store.claimBatch(order);
    if (isAbandoned && batch.kind === "claimed") {
      await run.store.release(batch.rows.map(({ id, token }): OutboxClaim => ({ owner: order.owner, id, token })));
    }
    return batch;
  };
  try {
    return await run.ask("claimBatch", claim);
  } catch (error) {
    isAbandoned = true;
    throw error;
  }
}

/**
 * Claims due rows and sends them until `signal` aborts or the grant is lost, and then waits for the sends under way.
 * Only as many rows are claimed as can be sent at once, so no claim grows old in a queue.
 * Every event leaves at least once, or ends as a dead letter; the receiver's dedupe makes it once.
 * @source reliability.md, Semantics, Webhook dedupe ("Outbox")
 */
export async function runRelay<Transaction>(
  options: RelayOptions<Transaction>,
  signal: AbortSignal,
): Promise<RelayEnd> {
  const run = openRun(options);
  const { concurrency = 8, pollMs = 500, leaseMs = 30_000, afterDead = "skip" } = options;
  assert(Number.isInteger(concurrency) && concurrency >= 1, `concurrency is a positive integer: ${concurrency}`);
  const active = new Set<Promise<void>>();
  const start = (row: ClaimedRow, claimedAtMs: number) => {
    const delivery: Promise<void> = deliverRow(run, row, claimedAtMs).finally(() => active.delete(delivery));
    active.add(delivery);
  };

  /** One claim. True: there may be more rows at once. */
  async function turn(): Promise<boolean | RelayEnd> {
    const [limit, sentAtMs] = [concurrency - active.size, run.clock.monoMs()];
    const batch = await claimRows(run, { owner: run.owner, epoch: run.epoch, leaseMs, limit, afterDead });
    if (batch.kind === "stale-epoch") {
      run.audit({ kind: "stale-epoch", epoch: batch.epoch });
      return "stale-epoch";
    }
    for (const row of batch.rows) start(row, sentAtMs);
    return batch.rows.length === limit;
  }

  let end: RelayEnd | null = null;
  while (end === null) {
    if (signal.aborted) end = "aborted";
    else if (!run.isGranted()) end = "grant-lost";
    else if (active.size >= concurrency) await Promise.race(active);
    else {
      const found = await turn().catch((error: unknown) => {
        run.audit({ kind: "store-failed", error });
        return false;
      });
      if (typeof found === "string") end = found;
      else if (!found) await rest(run.clock, pollMs, signal, active);
    }
  }
  await Promise.all(active);
  return end;
}

/** Waits for the next poll, the next end of a send (its order key may go on now), or the signal. */
async function rest(clock: Clock, pollMs: number, signal: AbortSignal, active: ReadonlySet<Promise<void>>) {
  const over = new AbortController();
  const end = () => over.abort();
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  await Promise.race([clock.sleep(pollMs, over.signal), ...active]);
  signal.removeEventListener("abort", end);
  end();
}
