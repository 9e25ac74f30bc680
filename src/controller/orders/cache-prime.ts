import type { ServingArm } from "../../core/arm.ts";
import type { CachePlan } from "../../core/cutover/resources.ts";
import type { CacheDriver } from "../../ports/cache.ts";
import type { Clock } from "../../ports/clock.ts";
import { DONE, type Outcome } from "./executor.ts";

/** Questions that are asked at most. @source CA-5, the keys asked most */
const KEYS_MAX = 1_000;
/** A cold arm bears this: one question each 50 ms, and so many at once where answers are slow. */
const EVERY_MS = 50;
const AT_ONCE_MAX = 8;
/** A cache that is half cold costs time and money and is no wrong answer: less than this is a failure. */
const PRIMED_SHARE_MIN = 0.5;

export interface Priming {
  readonly driver: CacheDriver;
  readonly plan: CachePlan;
  readonly arm: ServingArm;
  /** Asks the arm as a user would, tagged so that it counts as none. Rejects when there is no good answer. */
  readonly ask: (question: string, signal: AbortSignal) => Promise<void>;
  /** No question is asked after this. */
  readonly withinMs: number;
  readonly clock: Clock;
}

/** What was asked for, and how much of it failed. */
export interface Primed {
  readonly keys: readonly string[];
  readonly failed: number;
}

const other = (arm: ServingArm): ServingArm => (arm === "stable" ? "candidate" : "stable");

/**
 * Asks the arm the questions that the other arm's users asked most, each once. What is cached already is not asked
 * again, so a second try goes on where the first one stopped.
 */
export async function prime(priming: Priming, signal: AbortSignal): Promise<Primed> {
  const { driver, plan, arm, ask, withinMs, clock } = priming;
  const [from, to] = [plan.namespace[other(arm)], plan.namespace[arm]];
  const deadline = clock.monoMs() + withinMs;
  const [keys, questions, running] = [[] as string[], new Set<string>(), new Set<Promise<void>>()];
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const untilDeadline = () => clock.sleep(Math.max(0, deadline - clock.monoMs()), until);
  let failed = 0;
  for (const key of await driver.topKeys(from, KEYS_MAX, signal)) {
    if (clock.monoMs() >= deadline) break;
    const question = (await driver.read(from, key, signal))?.question ?? null;
    if (question === null || questions.has(question)) continue;
    questions.add(question);
    keys.push(key);
    if ((await driver.read(to, key, signal)) !== null) continue;
    const one = ask(question, until)
      .catch(() => void (over.signal.aborted || failed++))
      .finally(() => void running.delete(one));
    running.add(one);
    if (running.size >= AT_ONCE_MAX) await Promise.race([...running, untilDeadline()]);
    await clock.sleep(EVERY_MS, signal);
    signal.throwIfAborted();
  }
  if (running.size > 0) await Promise.race([Promise.all(running), untilDeadline()]);
  failed += running.size;
  over.abort(); // Whoever has not answered by now is not waited for.
  return { keys, failed };
}

/** Reads back what the arm cached: enough of it, and none that the other arm wrote. */
export async function readPrimed(
  { driver, plan, arm }: Pick<Priming, "driver" | "plan" | "arm">,
  { keys, failed }: Primed,
  othersNames: readonly string[],
  signal: AbortSignal,
): Promise<Outcome> {
  const namespace = plan.namespace[arm];
  let cached = 0;
  for (const key of keys) {
    const entry = await driver.read(namespace, key, signal);
    if (entry === null) continue;
    if (entry.writtenBy !== null && othersNames.includes(entry.writtenBy)) {
      const found = `"${key}" under "${namespace}" of ${arm} was written by ${entry.writtenBy}`;
      const message = `${found}; users would be given the other arm's answer: correct the namespace it writes to`;
      return { kind: "failed", code: "poisoned", message };
    }
    cached++;
  }
  if (cached >= keys.length * PRIMED_SHARE_MIN) return DONE;
  const found = `${cached} of ${keys.length} questions are cached under "${namespace}", ${failed} were not answered`;
  const message = `${found}; expected half of them: see whether ${arm} answers and which namespace it writes to`;
  return { kind: "failed", code: "unverified", message };
}
