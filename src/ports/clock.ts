import type { EpochMs } from "../core/unit.ts";

/** The only way to the time. `monoMs` never jumps and is what timeouts, leases and holds are measured with. */
export interface Clock {
  wallMs(): EpochMs;
  monoMs(): number;
  /** Resolves after `ms` or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Gives work a signal that aborts after `ms` by this clock, and forgets the time when the work is done. */
export async function withTimeout<T>(clock: Clock, ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const [late, done] = [new AbortController(), new AbortController()];
  void clock.sleep(ms, done.signal).then(() => late.abort(new DOMException("the time is over", "TimeoutError")));
  try {
    return await work(late.signal);
  } finally {
    done.abort();
  }
}
