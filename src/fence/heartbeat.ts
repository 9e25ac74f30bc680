import type { Clock } from "../ports/clock.ts";

export interface HeartbeatTimes {
  /** How long the store keeps the lease after a renewal. */
  readonly ttlMs: number;
  readonly renewMs: number;
  /** The holder stops by itself this long after it last asked successfully, before the store would let it go. */
  readonly selfStopMs: number;
}

/**
 * Times of a lease: renewed every 3 s, stopped by its holder at 7 s, free for others at 10 s. @source reliability.md,
 * Leases
 */
export const LEASE_TIMES: HeartbeatTimes = { ttlMs: 10_000, renewMs: 3_000, selfStopMs: 7_000 };

/** The same proportions for another lease time. */
export function timesFor(ttlMs: number): HeartbeatTimes {
  return { ttlMs, renewMs: ttlMs * 0.3, selfStopMs: ttlMs * 0.7 };
}

/** Why a holder stopped: the store named another owner, or no renewal was confirmed in time. */
export type LossReason = "superseded" | "self-stop";

export interface Heartbeat {
  /**
   * Read from the monotonic clock at the moment of the call, so that a stalled event loop cannot believe it still
   * holds.
   */
  isHeld(): boolean;
  /** Aborts when the lease is lost; `signal.reason` is the LossReason. */
  readonly signal: AbortSignal;
  /** Ends renewing without aborting the signal. */
  stop(): void;
}

/**
 * Keeps a lease alive. `grantedAtMs` is the monotonic time before the claim was sent; a renewal counts from the time
 * before it was sent as well, so the holder's idea of the lease always ends before the store's.
 */
export function startHeartbeat(
  clock: Clock,
  times: HeartbeatTimes,
  grantedAtMs: number,
  renew: () => Promise<boolean>,
): Heartbeat {
  const [lost, stopped] = [new AbortController(), new AbortController()];
  let provenAtMs = grantedAtMs;
  let nextRenewAtMs = grantedAtMs + times.renewMs;
  let isRenewing = false;

  function lose(reason: LossReason): void {
    if (!stopped.signal.aborted) lost.abort(reason);
    stopped.abort();
  }

  async function renewOnce(): Promise<void> {
    isRenewing = true;
    const sentAtMs = clock.monoMs();
    const isOurs = await renew().catch(() => null);
    isRenewing = false;
    if (isOurs === false) return lose("superseded");
    if (isOurs) provenAtMs = sentAtMs;
    nextRenewAtMs = clock.monoMs() + (isOurs ? times.renewMs : times.renewMs / 3);
  }

  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      const nowMs = clock.monoMs();
      const leftMs = provenAtMs + times.selfStopMs - nowMs;
      if (leftMs <= 0) return lose("self-stop");
      const renewInMs = isRenewing ? leftMs : nextRenewAtMs - nowMs;
      if (renewInMs <= 0) void renewOnce();
      else await clock.sleep(Math.min(leftMs, renewInMs, times.renewMs), stopped.signal);
    }
  }

  void run();
  return {
    isHeld: () => !stopped.signal.aborted && clock.monoMs() - provenAtMs < times.selfStopMs,
    signal: lost.signal,
    stop: () => stopped.abort(),
  };
}
