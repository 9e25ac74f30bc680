import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { epochMs } from "../core/unit.ts";
import type { Clock } from "../ports/clock.ts";

/** The machine's clocks. */
export function systemClock(): Clock {
  return {
    wallMs: () => epochMs(Date.now()),
    monoMs: () => performance.now(),
    timeout: (ms, signal) => AbortSignal.any([AbortSignal.timeout(ms), ...(signal === undefined ? [] : [signal])]),
    sleep: (ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {}),
  };
}
