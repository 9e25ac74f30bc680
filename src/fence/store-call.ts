import type { Clock } from "../ports/clock.ts";
import { DriverError } from "../ports/driver-error.ts";

/** Settles as `call` does, or throws `timeout` after `timeoutMs`; the call itself may still happen. */
export async function withTimeout<T>(clock: Clock, timeoutMs: number, what: string, call: Promise<T>): Promise<T> {
  const settled = new AbortController();
  const late = clock.sleep(timeoutMs, settled.signal).then(() => "late" as const);
  try {
    const first = await Promise.race([call.then((value) => ({ value })), late]);
    if (first !== "late") return first.value;
    throw new DriverError(
      "timeout",
      "safe",
      `fence: ${what} took longer than ${timeoutMs} ms; nothing was started, try again`,
    );
  } finally {
    settled.abort();
  }
}

/** Sends an idempotent call up to `tries` times; only a DriverError that says `safe` is sent again. */
export async function resend<T>(tries: number, call: () => Promise<T>): Promise<T> {
  for (let left = tries - 1; ; left--) {
    try {
      return await call();
    } catch (error) {
      const canResend = error instanceof DriverError && error.retry === "safe" && left > 0;
      if (!canResend) throw error;
    }
  }
}
