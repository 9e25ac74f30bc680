import { type EpochMs, epochMs } from "../core/unit.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";

/** The runtime's clock, for callers that do not inject one. Works wherever web standards do. */
export const systemClock: Clock = {
  wallMs: (): EpochMs => epochMs(Date.now()),
  monoMs: () => performance.now(),
  timeout: (ms, signal) => AbortSignal.any([AbortSignal.timeout(ms), ...(signal === undefined ? [] : [signal])]),
  sleep(ms, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      signal?.addEventListener("abort", wake, { once: true });
    });
  },
};

/** The runtime's cryptographic randomness. */
export const systemRandom: Random = {
  float: () => (crypto.getRandomValues(new Uint32Array(1))[0] as number) / 2 ** 32,
  bytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
};

/** 128 random bits as 32 hexadecimal characters: the name of one attempt. */
export function attemptIdOf(random: Random): string {
  return Array.from(random.bytes(16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
