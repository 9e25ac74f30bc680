import type { ServingArm } from "../core/arm.ts";
import { assert } from "../core/assert.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import { orAborted } from "./or-aborted.ts";
import { systemClock, systemRandom } from "./system.ts";

/** Highest number of tries, the first one included. @source requirements.md ID-6 */
const TRIES_MAX = 3;

export interface RetryPolicy {
  /** 1..3. */
  readonly tries: number;
  /** Upper end of the first wait; each later wait doubles it. The wait itself is uniform between 0 and that end. */
  readonly baseMs: number;
  /** Longest wait. */
  readonly capMs: number;
  /** The caller's request timeout: all tries and waits together stay below it. */
  readonly budgetMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = { tries: 3, baseMs: 100, capMs: 2_000, budgetMs: 10_000 };

/** Where a try goes. Unpinned, a later try must go where the first one went: the other arm is another release. */
export interface RetryRoute {
  readonly arm: ServingArm;
  readonly pinned: boolean;
}

export interface Try {
  /** 1 for the first. */
  readonly number: number;
  readonly route: RetryRoute | null;
  /** Aborts when the budget is spent. */
  readonly signal: AbortSignal;
}

export type TryAnswer<R> =
  | { readonly kind: "final"; readonly value: R }
  | { readonly kind: "again"; readonly reason: string; readonly waitMs?: number };

export type RetryOutcome<R> =
  | { readonly kind: "final"; readonly value: R; readonly tries: number }
  | {
      readonly kind: "gave-up";
      readonly because: "tries" | "budget" | "arm-changed";
      readonly reason: string;
      readonly tries: number;
    };

export interface RetryOptions {
  readonly policy?: Partial<RetryPolicy>;
  /** Asked before every try; leave out where traffic has no arms. */
  readonly route?: () => RetryRoute;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Full jitter: a wait uniform in 0..min(cap, base x 2^(failed-1)). `failed` counts from 1. */
export function jitterMs(policy: RetryPolicy, failed: number, random: Random): number {
  return random.float() * Math.min(policy.capMs, policy.baseMs * 2 ** (failed - 1));
}

function checkPolicy(policy: RetryPolicy): void {
  const { tries, baseMs, capMs, budgetMs } = policy;
  assert(Number.isInteger(tries) && tries >= 1 && tries <= TRIES_MAX, `tries is 1..${TRIES_MAX}: ${tries}`);
  assert(
    baseMs >= 0 && capMs >= 0 && budgetMs > 0,
    `waits are >= 0 and the budget > 0: ${baseMs}, ${capMs}, ${budgetMs}`,
  );
}

/**
 * Runs `work` at most three times under one budget. The work decides what is worth another try and must carry one
 * idempotency key through all tries. A throw ends it at once: only an answer `again` is retried.
 * @source requirements.md ID-6
 */
export async function retry<R>(
  work: (t: Try) => Promise<TryAnswer<R>>,
  options: RetryOptions = {},
): Promise<RetryOutcome<R>> {
  const { clock = systemClock, random = systemRandom } = options;
  const policy = { ...DEFAULT_RETRY, ...options.policy };
  checkPolicy(policy);
  const [startMs, budget, finished] = [clock.monoMs(), new AbortController(), new AbortController()];
  void clock.sleep(policy.budgetMs, finished.signal).then(() => budget.abort());
  let first: RetryRoute | null = null;
  let reason = "no try was made";
  try {
    for (let number = 1; ; number++) {
      const route = options.route?.() ?? null;
      first ??= route;
      const hasMoved = route !== null && first !== null && route.arm !== first.arm && !route.pinned;
      if (hasMoved) return { kind: "gave-up", because: "arm-changed", reason, tries: number - 1 };
      const answer = await orAborted(work({ number, route, signal: budget.signal }), budget.signal);
      if (answer === null)
        return { kind: "gave-up", because: "budget", reason: "the budget ended during a try", tries: number };
      if (answer.kind === "final") return { kind: "final", value: answer.value, tries: number };
      reason = answer.reason;
      if (number >= policy.tries) return { kind: "gave-up", because: "tries", reason, tries: number };
      const waitMs = Math.max(jitterMs(policy, number, random), answer.waitMs ?? 0);
      const isTooLate = clock.monoMs() - startMs + waitMs >= policy.budgetMs;
      if (isTooLate) return { kind: "gave-up", because: "budget", reason, tries: number };
      await clock.sleep(waitMs, budget.signal);
    }
  } finally {
    finished.abort();
  }
}
