import type { EpochMs } from "../core/unit.ts";

/** The only way to the time. `monoMs` never jumps and is what timeouts, leases and holds are measured with. */
export interface Clock {
  wallMs(): EpochMs;
  monoMs(): number;
  /** Resolves after `ms` or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
