import type { ByArm, ServingArm } from "../../core/arm.ts";
import type { PrimeCacheOrder, PurgeCacheOrder } from "../../core/cutover/order.ts";
import { cacheCollisions } from "../../core/cutover/cache-collision.ts";
import type { CachePlan } from "../../core/cutover/resources.ts";
import type { ArmPlan, ProbePlan } from "../../core/stage/plan.ts";
import { priming, purging } from "../../contract/cache-order.ts";
import type { CacheDriver } from "../../ports/cache.ts";
import type { Clock } from "../../ports/clock.ts";
import { DriverError } from "../../ports/driver-error.ts";
import { prime, type Primed, readPrimed } from "./cache-prime.ts";
import { A_MOMENT, DONE, type Executor, executor, type Outcome } from "./executor.ts";

/**
 * Asks an arm one question at its own address, in the shape its service takes, with `x-warm: true` and the namespace
 * that it is to cache under. Rejects when there is no good answer.
 */
export type AskWarm = (
  plan: Omit<CacheCutover, "cutover">,
  to: { readonly arm: ServingArm; readonly namespace: string },
  question: string,
  signal: AbortSignal,
) => Promise<void>;

export interface CacheTools {
  /** Opens the driver that the plan names; each try of an order closes it again. */
  readonly openCache: (plan: CachePlan, signal: AbortSignal) => Promise<CacheDriver>;
  readonly askWarm: AskWarm;
  readonly clock: Clock;
}

/** A plan that may have a cache to cut over. */
export interface CacheCutover {
  readonly arms: ByArm<ArmPlan>;
  readonly probes: Pick<ProbePlan, "map" | "k"> | null;
  readonly cutover: { readonly cache: CachePlan | null };
}

const LOOK_EVERY_MS = 200;

/** `cache.purge` and `cache.prime`. */
export function cacheOrders<Plan extends CacheCutover>(tools: CacheTools): readonly Executor<Plan>[] {
  return [purges(tools), primes(tools)];
}

async function withCache<T>(
  { openCache }: CacheTools,
  { cutover: { cache: plan } }: CacheCutover,
  signal: AbortSignal,
  work: (driver: CacheDriver, plan: CachePlan) => Promise<T>,
): Promise<T> {
  if (plan === null) throw new Error("invariant: an order of a cache, and the plan has none");
  const [collision] = cacheCollisions(plan);
  if (collision !== undefined) throw new DriverError("rejected", "never", `the cache is not touched: ${collision}`);
  const driver = await openCache(plan, signal);
  try {
    return await work(driver, plan);
  } finally {
    await driver.close().catch(() => {}); // It was of use, or its error is on its way already.
  }
}

/**
 * What is removed of an arm: of stable what users can still see, and everything where the plan names nothing; of a
 * candidate that was taken back everything, because nobody is sent to it (CA-9).
 */
function keysOf({ purge }: CachePlan, arm: ServingArm): readonly string[] | null {
  return arm === "candidate" || purge.length === 0 ? null : purge;
}

/** `cache.purge`: asked for, then read back until none is found. */
function purges<Plan extends CacheCutover>(tools: CacheTools): Executor<Plan> {
  return executor<PurgeCacheOrder["args"], void, Plan>({
    port: "cache",
    verb: "purge",
    args: purging,
    retry: A_MOMENT,
    apply: ({ args }, { plan }, signal) =>
      withCache(tools, plan, signal, async (driver, cache) => {
        await driver.purge(cache.namespace[args.arm], keysOf(cache, args.arm), signal);
      }),
    verify: (_, { args, withinMs }, { plan }, signal) =>
      withCache(tools, plan, signal, (driver, cache) => {
        const [namespace, keys] = [cache.namespace[args.arm], keysOf(cache, args.arm)];
        return untilGone({ driver, namespace, keys, withinMs, clock: tools.clock }, signal);
      }),
  });
}

interface Gone {
  readonly driver: CacheDriver;
  readonly namespace: string;
  /** Null: every key. */
  readonly keys: readonly string[] | null;
  readonly withinMs: number;
  readonly clock: Clock;
}

async function untilGone({ driver, namespace, keys, withinMs, clock }: Gone, signal: AbortSignal): Promise<Outcome> {
  const deadline = clock.monoMs() + withinMs;
  for (;;) {
    const left =
      keys === null ? await driver.topKeys(namespace, 1, signal) : await stillCached(driver, namespace, keys, signal);
    if (left.length === 0) return DONE;
    if (clock.monoMs() >= deadline) {
      const found = `"${namespace}${left[0]}" is still cached ${withinMs} ms after it was purged`;
      return { kind: "failed", code: "unverified", message: `${found}; see who writes it, then purge again` };
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
    signal.throwIfAborted();
  }
}

async function stillCached(
  driver: CacheDriver,
  namespace: string,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  for (const key of keys) if ((await driver.read(namespace, key, signal)) !== null) return [key];
  return [];
}

/** `cache.prime`: the questions asked most, asked of the arm, then read back from its namespace. */
function primes<Plan extends CacheCutover>(tools: CacheTools): Executor<Plan> {
  const { askWarm, clock } = tools;
  return executor<PrimeCacheOrder["args"], Primed, Plan>({
    port: "cache",
    verb: "prime",
    args: priming,
    retry: A_MOMENT,
    apply: ({ args: { arm }, withinMs }, { plan }, signal) =>
      withCache(tools, plan, signal, (driver, cache) => {
        const ask = (question: string, until: AbortSignal) =>
          askWarm(plan, { arm, namespace: cache.namespace[arm] }, question, until);
        return prime({ driver, plan: cache, arm, ask, withinMs, clock }, signal);
      }),
    verify: (primed, { args: { arm } }, { plan }, signal) =>
      withCache(tools, plan, signal, (driver, cache) => {
        const stranger: ServingArm = arm === "stable" ? "candidate" : "stable";
        const names = [stranger, plan.arms[stranger].releaseId];
        return readPrimed({ driver, plan: cache, arm }, primed, names, signal);
      }),
  });
}
