import type { GateForecast } from "../../core/forecast/stage.ts";
import type { Assumptions } from "../../core/judge/needs.ts";
import { errorRate } from "../../core/judge/errors/error-rate.ts";
import type { ByShare } from "../../core/judge/fields.ts";
import { p95Warm } from "../../core/judge/latency/p95-warm.ts";
import { brokenBounds } from "../../core/pace/choose-share.ts";
import type { RolloutPlan } from "../../core/stage/plan.ts";
import { formatDurationMs } from "../../spec/duration.ts";
import { readingTimesOf } from "../../spec/known-drivers.ts";
import { KNOWN_DRIVERS } from "../../host/driver-registry.ts";
import type { PlanWarning } from "../answer/plan-answer.ts";
import type { DocumentFile } from "../read-document.ts";
import type { StageForecast } from "./stage-forecast.ts";

/** A literal limit that stops a healthy candidate more often than this, at one look, is worth a word. */
const FALSE_STOP_WARN = 0.01;

/**
 * Gates that cannot decide within a stage's cap, with what would help: an error where the stage then waits for a
 * person, a warning where it goes on. And literal limits that stop healthy candidates.
 */
function gateWarnings(stages: readonly StageForecast[], document: DocumentFile): readonly PlanWarning[] {
  const steps = document.document.spec.strategy?.canary?.steps;
  return stages.flatMap(({ stage, gates, index }) => {
    if (stage.kind !== "traffic") return [];
    const step = index - (document.document.spec.shadow === undefined ? 0 : 1); // The shadow stands before it.
    const at = document.source.locate(
      steps === undefined ? ["spec", "gates"] : ["spec", "strategy", "canary", "steps", step],
    );
    const share = `${stage.candidateBp / 100} %`;
    return gates.flatMap((forecast): readonly PlanWarning[] => {
      const { gate, isFeasible, fix, falseStop, canLearn } = forecast;
      if (!isFeasible) {
        const message = `${gate} cannot decide at ${share}: ${whyNever(forecast, stage.capMs)}`;
        // What is missing, the controller may have learnt by then.
        const isOpen = stage.onCap === "proceed" || canLearn;
        return [{ code: isOpen ? "W201" : "E201", at, message, fix: fix ?? "" }];
      }
      if (falseStop === null || falseStop <= FALSE_STOP_WARN) return [];
      const chance = `${(falseStop * 100).toPrecision(2)} %`;
      const message = `${gate} reads its limit literally: at ${share} one look stops a healthy candidate in ${chance} of cases, and it looks many times`;
      return [{ code: "W202", at, message, fix: "mode: sequential, or more minSamples" }];
    });
  });
}

/** Without a lease nothing ends by itself. */
function leaseWarnings(leaseMs: number | null, { source }: DocumentFile): readonly PlanWarning[] {
  if (leaseMs !== null) return [];
  const at = source.locate(["spec", "route", "lease"]);
  const message =
    "lease: off, so a rollback cannot be guaranteed: a gateway that is cut off keeps its users on the candidate";
  return [{ code: "W203", at, message, fix: "lease: 15s" }];
}

/** Bounds on harm that the smallest share cannot keep, or that let a healthy candidate go no further. */
function paceWarnings(
  plan: RolloutPlan,
  stages: readonly StageForecast[],
  assumed: Assumptions,
  { source, document }: DocumentFile,
): readonly PlanWarning[] {
  if (plan.pace === undefined) return [];
  const at = source.locate(document.spec.strategy === undefined ? ["spec", "gates"] : ["spec", "strategy", "pace"]);
  const fix = "raise the bound under strategy.pace.harm, or write canary steps";
  return brokenBounds(plan, plan.pace, assumed, stages.findLast(({ stage }) => stage.kind === "traffic")?.index).map(
    (message) => ({ code: "E202", at, message, fix }),
  );
}

/** A source that shows its numbers later than they may be old never has one. */
function metricWarnings({ metrics }: RolloutPlan, { source }: DocumentFile): readonly PlanWarning[] {
  return metrics.flatMap((metric, index) => {
    const { lateMs, maxAgeMs } = readingTimesOf(KNOWN_DRIVERS, metric.source);
    if (metric.maxAgeMs >= lateMs) return [];
    const at = source.locate(["spec", "metrics", index]);
    const message = `metric "${metric.name}" may be ${metric.maxAgeMs / 1_000}s old, and ${metric.source} shows numbers up to ${lateMs / 1_000}s late: most readings will be no data`;
    return [{ code: "W204", at, message, fix: `maxAge: ${maxAgeMs / 60_000}m` }];
  });
}

/** Margins of a first try: what is let through to everybody then is worth a word where a release matters. */
const GROSS = { errors: 0.1, p95: 3 };

function marginWarnings({ gates }: RolloutPlan, { source }: DocumentFile): readonly PlanWarning[] {
  const marginOf = (kind: typeof errorRate | typeof p95Warm): number => {
    const setting = gates.find(({ gate }) => gate === kind.name);
    if (setting === undefined) return 0;
    return (kind.optionsOf(setting.options) as { readonly margin: ByShare }).margin.from50;
  };
  const [errors, p95] = [marginOf(errorRate), marginOf(p95Warm)];
  const passes = [
    ...(errors >= GROSS.errors ? [`${errors * 100} more failures in 100 requests`] : []),
    ...(p95 >= GROSS.p95 ? [`a p95 of ${p95} times stable's`] : []),
  ];
  if (passes.length === 0) return [];
  const message = `the margins are those of a first try: a candidate with up to ${passes.join(" and ")} may reach everybody`;
  const at = source.locate(["spec", "gates"]);
  return [{ code: "W205", at, message, fix: "gates: [{ use: default }] for a release that matters" }];
}

function whyNever({ never, needsSamples, expectedS }: GateForecast, capMs: number): string {
  const cap = formatDurationMs(capMs);
  if (never !== null) return never;
  if (needsSamples === null) return `no number of requests would settle it before the cap of ${cap}`;
  if (expectedS === null) return "what it waits for is not known";
  return `it needs ${needsSamples} candidate requests, about ${Math.ceil(expectedS)} s at this traffic, and the cap is ${cap}`;
}

/** Everything about a plan that stands in its way, or is worth a word. */
export function warningsOf(
  plan: RolloutPlan,
  stages: readonly StageForecast[],
  assumed: Assumptions,
  document: DocumentFile,
): readonly PlanWarning[] {
  return [
    ...gateWarnings(stages, document),
    ...paceWarnings(plan, stages, assumed, document),
    ...leaseWarnings(plan.leaseMs ?? null, document),
    ...metricWarnings(plan, document),
    ...marginWarnings(plan, document),
  ];
}
