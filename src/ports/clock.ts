import type { EpochMs } from "../core/unit.ts";

/** The only way to the time. `monoMs` never jumps and is what timeouts, leases and holds are measured with. */
export interface Clock {
  wallMs(): EpochMs;
  monoMs(): number;
  /** Resolves after `ms` or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Aborts after `ms` with a `TimeoutError`, or with `signal` and its reason, whichever comes first. */
  timeout(ms: number, signal?: AbortSignal): AbortSignal;
}

/** A clock that keeps its own time, with `timeout` made of its `sleep`. */
export function clockBySleep(time: Omit<Clock, "timeout">): Clock {
  return {
    ...time,
    timeout(ms, signal) {
      const late = new AbortController();
      void time.sleep(ms, signal).then(() => late.abort(new DOMException(`${ms} ms have passed`, "TimeoutError")));
      return signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
    },
  };
}
