import { CHECKS, type CheckName } from "../../core/drill/checks.ts";
import {
  CONTRACT_FIELDS,
  INDEX_FIELDS,
  PARITY_FIELDS,
  sameContract,
  verdictOf,
  withinBacklog,
} from "../../core/drill/compare.ts";
import type { CheckRegionOrder } from "../../core/drill/order.ts";
import { type DrillRegion, regionOf } from "../../core/drill/plan.ts";
import type { ByArm } from "../../core/arm.ts";
import type { Manifest } from "../../core/release/manifest.ts";
import { unmeasured, type Verdict } from "../../core/verdict.ts";
import { checking } from "../../contract/region-order.ts";
import { withinBudget } from "./budget.ts";
import type { DrillInForce } from "../../core/drill/plan.ts";
import type { DrillTools } from "./drill-tools.ts";
import { A_MOMENT, type Executor, executor } from "./executor.ts";
import { answersEqual, probed } from "./region-probes.ts";

/** What one check is asked with. */
export interface Asked {
  readonly plan: DrillInForce;
  readonly pinned: ByArm<Manifest> | null;
  readonly of: readonly string[];
}

/** `region.check`: one check of some regions. It only reads, so what was read is the proof. */
export function regionChecks(tools: DrillTools): Executor<DrillInForce> {
  return executor<CheckRegionOrder["args"], Verdict, DrillInForce>({
    port: "region",
    verb: "check",
    args: checking,
    retry: A_MOMENT,
    apply: (order, { plan, pinned }, signal) =>
      withinBudget(order, tools.clock, signal, (limit) =>
        askCheck(tools, order.args.check, { plan, pinned, of: order.args.of }, limit),
      ),
    verify: (verdict) => Promise.resolve({ kind: "done", verdicts: [verdict] }),
  });
}

/** One check by its name; those that watch users are asked over a time, so not here. */
export function askCheck(tools: DrillTools, check: CheckName, asked: Asked, signal: AbortSignal): Promise<Verdict> {
  const { plan, of } = asked;
  switch (check) {
    case "env_parity":
      return contract(tools, check, asked, PARITY_FIELDS, signal);
    case "index_hash_equal":
      return contract(tools, check, asked, INDEX_FIELDS, signal);
    case "contracts_equal":
      return contract(tools, check, asked, CONTRACT_FIELDS, signal);
    case "index_hash":
      return sinceStart(tools, asked, signal);
    case "queue_empty":
    case "queue_backlog":
      return backlog(tools, check, asked, plan.limits.backlog, signal);
    case "backlog_zero":
      return backlog(tools, check, asked, plan.baseline.backlog ?? 0, signal);
    case "cache_warm":
    case "cache_rewarmed":
      return hotKeys(tools, check, asked, signal);
    case "answers_equal":
      return answersEqual(tools, plan, signal);
    case "ΔS_probe":
    case "λ_state":
      return probed(tools, plan, check, of[0] ?? plan.survivor, signal);
    default:
      return Promise.resolve(unmeasured(check, "error", `${CHECKS[check].asks} is watched over a time`));
  }
}

/** What regions state of themselves, or why one of them states nothing. */
async function stated(
  { health }: DrillTools,
  gate: string,
  regions: readonly DrillRegion[],
  signal: AbortSignal,
): Promise<readonly { readonly region: string; readonly manifest: Manifest }[] | Verdict> {
  const answers = await Promise.all(
    regions.map(async ({ name, healthUrl }) => ({ region: name, answer: await health.read(healthUrl, signal) })),
  );
  const read = answers.flatMap(({ region, answer }) =>
    answer.kind === "read" ? [{ region, manifest: answer.manifest }] : [],
  );
  const unread = answers.flatMap(({ region, answer }) =>
    answer.kind === "read" ? [] : [`${region} is not ready: ${answer.reason}`],
  );
  // Not heard of is not wrong: it is asked again while the step lasts.
  return unread.length === 0 ? read : unmeasured(gate, "no-data", unread.join("; "), "start it, or correct its health");
}

async function contract(
  tools: DrillTools,
  gate: string,
  { plan, of }: Asked,
  fields: Parameters<typeof sameContract>[2],
  signal: AbortSignal,
): Promise<Verdict> {
  const named = of.map((name) => regionOf(plan, name));
  const found = await stated(tools, gate, named, signal);
  return "gate" in found ? found : sameContract(gate, found, fields);
}

/** Whether regions still state what the one that takes over stated before anything moved. */
async function sinceStart(tools: DrillTools, { plan, of, pinned }: Asked, signal: AbortSignal): Promise<Verdict> {
  const gate = "index_hash";
  if (pinned === null) return unmeasured(gate, "no-data", "nothing was stated at the start of the drill");
  const named = of.map((name) => regionOf(plan, name));
  const found = await stated(tools, gate, named, signal);
  if ("gate" in found) return found;
  const start = { region: `${plan.survivor} at the start`, manifest: pinned.candidate };
  return sameContract(gate, [start, ...found], CONTRACT_FIELDS);
}

/** Messages of a region's queue that are not settled; null where the product cannot say. */
export async function waitingIn(
  { resources }: DrillTools,
  { queue }: DrillRegion,
  signal: AbortSignal,
): Promise<number | null> {
  if (queue === null) return null;
  const driver = await resources.openQueue(queue, signal);
  try {
    const progress = await driver.progress(queue.queue, queue.consumer, signal);
    return progress === null || progress.waiting === null ? null : progress.waiting + progress.inFlight;
  } finally {
    await driver.close().catch(() => {}); // It was of use, or its error is on its way already.
  }
}

async function backlog(
  tools: DrillTools,
  gate: string,
  { plan, of }: Asked,
  limit: number,
  signal: AbortSignal,
): Promise<Verdict> {
  const verdicts: Verdict[] = [];
  for (const name of of) {
    verdicts.push(withinBacklog(gate, name, await waitingIn(tools, regionOf(plan, name), signal), limit));
  }
  const worst = verdicts.find(({ kind }) => kind !== "pass") ?? verdicts[0];
  return worst ?? unmeasured(gate, "no-data", "no region was asked");
}

/** Whether each region holds what is asked most of the others. @source CA-13 */
async function hotKeys(tools: DrillTools, gate: string, { plan, of }: Asked, signal: AbortSignal): Promise<Verdict> {
  const opened = await Promise.all(of.map((name) => openCache(tools, regionOf(plan, name), signal)));
  try {
    const hot = new Set<string>();
    for (const { driver, namespace } of opened)
      for (const key of await driver.topKeys(namespace, plan.limits.hotKeys, signal)) hot.add(key);
    if (hot.size === 0) return unmeasured(gate, "no-data", `nothing is cached in ${of.join(" or ")}`, "some traffic");
    const missing: string[] = [];
    for (const { driver, namespace, region } of opened) {
      for (const key of hot)
        if ((await driver.read(namespace, key, signal)) === null) missing.push(`${region} lacks "${key.slice(0, 60)}"`);
    }
    const held = { estimate: missing.length, threshold: 0, samples: hot.size };
    if (missing.length === 0) return verdictOf(gate, "pass", `${of.join(" and ")} hold ${hot.size} hot keys`, held);
    const told = missing.slice(0, 3).join("; ");
    const found = `${missing.length} hot keys are missing: ${told}; let the region answer them before users come`;
    return verdictOf(gate, "fail", found, held);
  } finally {
    await Promise.all(opened.map(({ driver }) => driver.close().catch(() => {})));
  }
}

async function openCache({ resources }: DrillTools, { name, cache }: DrillRegion, signal: AbortSignal) {
  if (cache === null) throw new Error(`invariant: a check of the cache of ${name}, and the plan has none`);
  return { region: name, namespace: cache.namespace, driver: await resources.openCache(cache, signal) };
}
