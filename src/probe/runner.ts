import type { ServingArm } from "../core/arm.ts";
import type { GoldItem } from "../core/measure/gold.ts";
import type { Clock } from "../ports/clock.ts";
import type { ProbeRunStore } from "../ports/probe-run-store.ts";
import { runKey } from "./run-store.ts";
import { askTarget, type Fetch, type ProbeTarget, type TargetResult } from "./target.ts";

/** One question to put to one arm. */
export interface ProbeTask {
  readonly arm: ServingArm;
  /** Place of the item in the list of questions. */
  readonly item: number;
  readonly phrasing: number;
  readonly repetition: number;
}

export interface RunnerOptions {
  /** Stable is absent when only one target is asked. */
  readonly targets: { readonly stable: ProbeTarget | null; readonly candidate: ProbeTarget };
  readonly items: readonly GoldItem[];
  readonly k: number;
  readonly repeats: number;
  readonly seed: number;
  /** Requests a second over both arms; null for no limit. */
  readonly requestsPerSecond: number | null;
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly fetch: Fetch;
  readonly store: ProbeRunStore | null;
  readonly signal: AbortSignal;
}

/** Largest seed that every language reads as an integer. */
const SEED_SPACE = 2 ** 31;

/**
 * All tasks in the order they are started: both arms get the same (question, phrasing, repetition) side by side, and
 * the arm that goes first alternates (A B B A), so that neither always finds the service warmed by the other.
 */
export function* probeTasks(
  options: Pick<RunnerOptions, "items" | "repeats"> & { readonly isPaired: boolean },
): Generator<ProbeTask> {
  let pair = 0;
  for (let repetition = 0; repetition < options.repeats; repetition++) {
    for (const [item, { phrasings }] of options.items.entries()) {
      for (let phrasing = 0; phrasing < phrasings.length; phrasing++) {
        const place = { item, phrasing, repetition };
        const arms: readonly ServingArm[] = pair++ % 2 === 0 ? ["stable", "candidate"] : ["candidate", "stable"];
        for (const arm of arms) if (options.isPaired || arm === "candidate") yield { arm, ...place };
      }
    }
  }
}

/**
 * Puts every task to its arm and hands each result over as it comes, every task exactly once. Rejects when the signal
 * aborts or the store fails; what was answered until then is in the store, and a second run goes on from there.
 */
export async function runProbeTasks(
  options: RunnerOptions,
  onResult: (task: ProbeTask, result: TargetResult) => void,
): Promise<void> {
  const tasks = probeTasks({ ...options, isPaired: options.targets.stable !== null });
  const turn = turnstile(options.requestsPerSecond, options.clock);
  // A signal of its own for each worker: hundreds of requests would otherwise listen on one.
  const stops = Array.from({ length: options.concurrency }, () => new AbortController());
  const stopAll = (reason: unknown): void => {
    for (const stop of stops) stop.abort(reason);
  };
  const onAbort = (): void => stopAll(options.signal.reason);
  const work = async (signal: AbortSignal): Promise<void> => {
    for (const task of tasks) {
      signal.throwIfAborted();
      onResult(task, await runTask(task, { ...options, signal }, turn));
    }
  };
  options.signal.throwIfAborted();
  options.signal.addEventListener("abort", onAbort, { once: true });
  try {
    const working = stops.map(({ signal }) => work(signal).catch(stopAll));
    await Promise.all(working); // All have ended: nothing is left running behind a rejected probe.
    for (const { signal } of stops) signal.throwIfAborted();
  } finally {
    options.signal.removeEventListener("abort", onAbort);
  }
}

async function runTask(task: ProbeTask, options: RunnerOptions, turn: Turn): Promise<TargetResult> {
  const { k, seed, store, signal } = options;
  const target = task.arm === "stable" ? options.targets.stable : options.targets.candidate;
  const text = options.items[task.item]?.phrasings[task.phrasing];
  if (target === null || text === undefined)
    throw new Error(`invariant: no target or text for ${JSON.stringify(task)}`);
  const question = { question: text, k, seed: (seed + task.repetition) % SEED_SPACE };
  const key = store === null ? null : runKey(target, question, task.repetition);
  const kept = store === null || key === null ? null : await store.read(key);
  if (kept !== null) return kept;
  await turn(signal);
  const result = await askTarget(target, question, options);
  if (store !== null && key !== null && result.kind !== "error") await store.write(key, result);
  return result;
}

type Turn = (signal: AbortSignal) => Promise<void>;

/** Lets requests pass at a steady rate over all workers. */
function turnstile(requestsPerSecond: number | null, clock: Clock): Turn {
  if (requestsPerSecond === null) return () => Promise.resolve();
  let nextAtMs = clock.monoMs();
  return async (signal) => {
    const waitMs = nextAtMs - clock.monoMs();
    nextAtMs = Math.max(nextAtMs, clock.monoMs()) + 1000 / requestsPerSecond;
    if (waitMs > 0) await clock.sleep(waitMs, signal);
    signal.throwIfAborted();
  };
}
