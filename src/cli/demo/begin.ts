import { CliError } from "../cli-error.ts";
import { UNREACHABLE } from "../controller-client.ts";

/**
 * What a busy machine outgrows by itself: refusals that say that nothing was begun, and no answer in time, after which
 * the same question finds what it began.
 */
const PASSING = ["no-gateway", "target-unreachable", UNREACHABLE];
const LIMIT_MS = 60_000;
const PAUSE_MS = 500;

/**
 * Begins a rollout, and asks again while the controller has not heard of the gateway or a service is slow to say that
 * it is ready: both are started by the demo itself, so they come. What else is refused stays refused.
 */
export async function beginWhenReady<T>(
  begin: () => Promise<T>,
  note: (text: string) => void,
  pause: () => Promise<void> = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS)),
): Promise<T> {
  const deadline = performance.now() + LIMIT_MS;
  for (let told = ""; ; await pause()) {
    try {
      return await begin();
    } catch (error) {
      const isPassing = error instanceof CliError && PASSING.includes(String(error.cause));
      if (!isPassing || performance.now() > deadline) throw error;
      if (error.message !== told) note(`not yet: ${error.message}`);
      told = error.message;
    }
  }
}
