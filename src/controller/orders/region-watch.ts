import type { LiveCheck } from "../../core/drill/checks.ts";
import { CONTRACT_FIELDS, verdictOf } from "../../core/drill/compare.ts";
import type { BaselineOrder, ObserveRegionOrder, SteadyRegionOrder } from "../../core/drill/order.ts";
import { regionOf } from "../../core/drill/plan.ts";
import { manifestDifferences } from "../../core/release/manifest.ts";
import { wilson } from "../../core/stats/wilson.ts";
import { unmeasured, type Verdict } from "../../core/verdict.ts";
import { countBins, quantileOf } from "../../core/window/sketch.ts";
import { nothing } from "../../contract/order.ts";
import { observing, steadying } from "../../contract/region-order.ts";
import { DriverError } from "../../ports/driver-error.ts";
import { withinBudget } from "./budget.ts";
import type { DrillInForce } from "../../core/drill/plan.ts";
import type { DrillTools } from "./drill-tools.ts";
import { A_MOMENT, type Executor, executor, type Outcome } from "./executor.ts";
import { askCheck, type Asked, waitingIn } from "./region-checks.ts";

/** How often a region is looked at while it is watched. */
const LOOK_MS = 500;
/** How much longer, where too few users have come to say anything. */
const LONGER_MS = 12_000;
/** What was served before a drill, looked back at. */
const BEFORE_MS = 60_000;
/** Fewer warm answers say nothing of their p95. */
const ANSWERS_MIN = 100;
/** Fewer requests stop nothing before the time is over. */
const EARLY_MIN = 50;
/** 99 % one-sided: an early stop is no chance of a few requests. */
const EARLY_Z = 2.326;

/** `region.baseline`, `region.observe` and `region.steady`: how it is over a time. */
export function regionWatches(tools: DrillTools): readonly Executor<DrillInForce>[] {
  return [baseline(tools), observes(tools), steadies(tools)];
}

/** What both regions state, how long warm answers took, and what waits: later checks are held against it. */
function baseline(tools: DrillTools): Executor<DrillInForce> {
  const { clock, health, regionTraffic } = tools;
  return executor<BaselineOrder["args"], Outcome, DrillInForce>({
    port: "region",
    verb: "baseline",
    args: nothing,
    retry: A_MOMENT,
    apply: (order, { plan }, signal) =>
      withinBudget(order, clock, signal, async (limit): Promise<Outcome> => {
        const [stable, candidate] = await Promise.all(
          [plan.evacuate, plan.survivor].map((name) => health.read(regionOf(plan, name).healthUrl, limit)),
        );
        if (stable?.kind !== "read" || candidate?.kind !== "read")
          throw new DriverError("unreachable", "safe", "a region does not state what it is");
        const nowMs = clock.wallMs();
        const { warm, requests } = regionTraffic.between(plan.service, null, nowMs - BEFORE_MS, nowMs + 1_000);
        const p95 = countBins(warm) < ANSWERS_MIN ? null : quantileOf(warm, 0.95);
        const waiting = await waitingIn(tools, regionOf(plan, plan.survivor), limit);
        const told = p95 === null ? "too few users were served to tell p95" : `p95 was ${p95.toFixed(0)} ms`;
        const verdicts = [
          verdictOf("p95_latency", "pass", told, { estimate: p95, samples: requests }),
          verdictOf("queue_backlog", "pass", `${waiting ?? "nobody knows how many"} messages waited`, {
            estimate: waiting,
          }),
        ];
        return { kind: "done", verdicts, pinned: { stable: stable.manifest, candidate: candidate.manifest } };
      }),
    verify: (found) => Promise.resolve(found),
  });
}

function observes(tools: DrillTools): Executor<DrillInForce> {
  const { clock } = tools;
  return executor<ObserveRegionOrder["args"], readonly Verdict[], DrillInForce>({
    port: "region",
    verb: "observe",
    args: observing,
    retry: { tries: 1, firstPauseMs: 0 },
    apply: (order, { plan, pinned }, signal) =>
      withinBudget(order, clock, signal, async (limit) => {
        const { checks, region, forMs } = order.args;
        const [fromWallMs, untilMs] = [clock.wallMs(), clock.monoMs() + forMs];
        const asked: Asked = { plan, pinned, of: [region] };
        const ask = (isEnd: boolean) =>
          Promise.all(checks.map((check) => live(tools, check, asked, { fromWallMs, isEnd }, limit)));
        for (;;) {
          const isEnd = clock.monoMs() >= untilMs;
          const verdicts = await ask(isEnd);
          // A small share takes longer to say anything; what has said nothing then is no pass.
          const isWaiting = verdicts.some(({ kind }) => kind === "no-data") && clock.monoMs() < untilMs + LONGER_MS;
          if ((isEnd && !isWaiting) || verdicts.some(({ kind }) => kind === "fail"))
            return [...verdicts, ...latencies(tools, plan, fromWallMs)];
          await clock.sleep(Math.min(LOOK_MS, Math.max(1, untilMs - clock.monoMs())), limit);
          limit.throwIfAborted();
        }
      }),
    verify: (verdicts) => Promise.resolve({ kind: "done", verdicts }),
  });
}

/** For people: how long warm answers of each region took meanwhile. */
function latencies({ regionTraffic, clock }: DrillTools, plan: DrillInForce, fromWallMs: number): readonly Verdict[] {
  return plan.regions.flatMap(({ name }) => {
    const { warm } = regionTraffic.between(plan.service, name, fromWallMs, clock.wallMs() + 1_000);
    const samples = countBins(warm);
    return [0.75, 0.95, 0.99].flatMap((share) => {
      const estimate = quantileOf(warm, share);
      if (estimate === null) return [];
      const reason = `${name} answered ${share * 100} % within ${estimate.toFixed(0)} ms`;
      const numbers = { estimate, samples };
      return [{ ...verdictOf("latency_ms", "pass", reason, numbers), instance: `${name} p${share * 100}` }];
    });
  });
}

interface Look {
  readonly fromWallMs: number;
  /** The time is over: what is not proven now is not. */
  readonly isEnd: boolean;
}

/** One live check, of what users met since a time too. */
export async function live(
  tools: DrillTools,
  check: LiveCheck,
  asked: Asked,
  look: Look,
  signal: AbortSignal,
): Promise<Verdict> {
  if (check === "p95_latency") return latency(tools, asked, look);
  if (check === "error_rate") return errors(tools, asked, look);
  // Questions cost time, so the set is asked once, when the region has served for a while.
  const isAsked = check === "ΔS_probe" || check === "λ_state";
  if (isAsked && !look.isEnd) return unmeasured(check, "no-data", "is asked at the end");
  return askCheck(tools, check, asked, signal);
}

function latency({ regionTraffic, clock }: DrillTools, { plan, of }: Asked, { fromWallMs, isEnd }: Look): Verdict {
  const gate = "p95_latency";
  const [region = plan.survivor] = of;
  const { p95Ms } = plan.baseline;
  const { warm, cold } = regionTraffic.between(plan.service, region, fromWallMs, clock.wallMs() + 1_000);
  const [answers, p95] = [countBins(warm), quantileOf(warm, 0.95)];
  if (p95Ms === null || p95 === null || answers < ANSWERS_MIN) {
    const before = p95Ms === null ? "nothing is known of the time before, and " : "";
    return unmeasured(gate, "no-data", `${before}${region} gave ${answers} warm answers, expected ${ANSWERS_MIN}`);
  }
  const ratio = p95 / p95Ms;
  const { p95Ratio: threshold } = plan.limits;
  const found = `p95 of ${region} is ${p95.toFixed(0)} ms, ${ratio.toFixed(2)} times that of before`;
  const beside = countBins(cold) === 0 ? "" : `, ${countBins(cold)} cold starts apart`;
  const numbers = { estimate: ratio, threshold, samples: answers };
  if (ratio <= threshold) return verdictOf(gate, "pass", `${found}${beside}`, numbers);
  const advice = `expected ${threshold} at most; lower its concurrency, k or parallel tools`;
  return verdictOf(gate, isEnd ? "fail" : "inconclusive", `${found}${beside}, ${advice}`, numbers);
}

function errors({ regionTraffic, clock }: DrillTools, { plan, of }: Asked, { fromWallMs, isEnd }: Look): Verdict {
  const gate = "error_rate";
  const [region = plan.survivor] = of;
  const { requests, failures, classes } = regionTraffic.between(
    plan.service,
    region,
    fromWallMs,
    clock.wallMs() + 1_000,
  );
  if (requests === 0) return unmeasured(gate, "no-data", `${region} served nobody`, "some users");
  const { errorShare: threshold } = plan.limits;
  const share = failures / requests;
  const [low] = wilson(failures, requests, EARLY_Z);
  const worst = Object.entries(classes).toSorted(([, a], [, b]) => b - a)[0]?.[0];
  const most = worst === undefined ? "" : `, most of them ${worst}`;
  const found = `${failures} of ${requests} requests failed in ${region}${most}`;
  const numbers = { estimate: share, threshold, samples: requests };
  const isHarm = (requests >= EARLY_MIN && low > threshold) || (isEnd && share > threshold);
  const kind = isHarm ? "fail" : share > threshold ? "inconclusive" : "pass";
  return verdictOf(gate, kind, `${found}, expected ${(threshold * 100).toFixed(2)} % at most`, numbers);
}

/** Fit at every look for the whole time: one look at which it is not begins it again, with the step. */
function steadies(tools: DrillTools): Executor<DrillInForce> {
  const { clock, health } = tools;
  return executor<SteadyRegionOrder["args"], Outcome, DrillInForce>({
    port: "region",
    verb: "steady",
    args: steadying,
    retry: { tries: 1, firstPauseMs: 0 },
    apply: (order, { plan, pinned }, signal) =>
      withinBudget(order, clock, signal, async (limit): Promise<Outcome> => {
        const { region, like, forMs } = order.args;
        if (pinned === null) return unfit(`nothing is known of the contract that ${region} has to state`);
        const untilMs = clock.monoMs() + forMs;
        for (;;) {
          const own = await health.read(regionOf(plan, region).healthUrl, limit);
          limit.throwIfAborted();
          if (own.kind !== "read") return unfit(`${region} is not ready: ${own.reason}`);
          const [difference] = manifestDifferences(own.manifest, pinned.candidate, CONTRACT_FIELDS);
          if (difference !== undefined) {
            const { field, left, right } = difference;
            return unfit(`${field} is ${left} in ${region}, ${right} was that of ${like}: its index may not be used`);
          }
          if (clock.monoMs() >= untilMs) return { kind: "done", verdicts: [] };
          await clock.sleep(Math.min(LOOK_MS, Math.max(1, untilMs - clock.monoMs())), limit);
          limit.throwIfAborted();
        }
      }),
    verify: (found) => Promise.resolve(found),
  });
}

const unfit = (message: string): Outcome => ({ kind: "failed", code: "unfit", message });
