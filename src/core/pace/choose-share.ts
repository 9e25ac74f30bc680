import { expectedHarm, marginOf, type Severity } from "./expected-harm.ts";
import type { StageView } from "../judge/block.ts";
import { type Evidence, judgeTraffic } from "../judge/engine.ts";
import { isTrafficGate } from "../judge/gates.ts";
import { errorRate } from "../judge/errors/error-rate.ts";
import { p95Warm } from "../judge/latency/p95-warm.ts";
import type { Assumptions } from "../judge/needs.ts";
import type { PacePlan } from "../stage/pace.ts";
import type { RolloutPlan, TrafficStage } from "../stage/plan.ts";
import type { EpochMs } from "../unit.ts";
import type { Verdict } from "../verdict.ts";
import type { PaceChoice } from "./pace-choice.ts";
import { requestsPerSecond, stableFailureRate, type TrafficRate } from "./traffic-rate.ts";

/** Spread of warm latency that is usual: sigma of its logarithm. @source decision-policy.md */
const LATENCY_SIGMA = 0.5;
const SEVERITIES: readonly Severity[] = ["dead", "fourfoldErrors", "slower40"];
const SAID: Readonly<Record<Severity, string>> = {
  dead: "a dead release would reach about N users before the stop",
  fourfoldErrors: "four times the errors would meet about N users before the stop",
  slower40: "40 % more latency would be served to about N users before the stop",
};

interface Target {
  readonly index: number;
  readonly stage: TrafficStage;
}

interface Expected {
  readonly severity: Severity;
  readonly users: number;
}

/** A share and the harm to expect there of what is not excluded. */
interface Weighed {
  readonly target: Target;
  readonly open: readonly Expected[];
}

/** Whether harm of a severity is excluded by evidence. */
export type IsExcluded = (severity: Severity) => boolean;

/** The traffic stages above a share, in order. */
function targetsAbove({ stages }: RolloutPlan, candidateBp: number): readonly Target[] {
  return stages.flatMap((stage, index) =>
    stage.kind === "traffic" && stage.candidateBp > candidateBp ? [{ index, stage }] : [],
  );
}

function weigh(plan: RolloutPlan, target: Target, assumed: Assumptions, isExcluded: IsExcluded): Weighed {
  const open = SEVERITIES.filter((severity) => !isExcluded(severity)).flatMap((severity) => {
    const users = expectedHarm(plan, target.stage, assumed, severity);
    return users === null ? [] : [{ severity, users }];
  });
  return { target, open };
}

function keepsBounds({ harm }: PacePlan, { open }: Weighed): boolean {
  return open.every(({ severity, users }) => users <= harm[severity]);
}

/** The severity nearest to its bound, or over it, as a sentence. */
function sayHarm({ harm }: PacePlan, { open }: Weighed): string {
  const ranked = [...open].sort((a, b) => b.users / harm[b.severity] - a.users / harm[a.severity]);
  const [nearest] = ranked;
  if (nearest === undefined) return "every harm that is bounded is excluded";
  const { severity, users } = nearest;
  const over = users > harm[severity] ? `, and at most ${harm[severity]} are allowed` : "";
  return SAID[severity].replace("N", String(Math.ceil(users))) + over;
}

/**
 * The greatest share that keeps the bounds, and why; null where there is nothing to choose: above the last share, or
 * while the one in force is not proven. The smallest share is left without proof, as soon as the traffic is measured,
 * where even a dead candidate keeps the bounds higher up.
 */
export function chooseAmong(
  plan: RolloutPlan,
  pace: PacePlan,
  from: { readonly index: number; readonly candidateBp: number; readonly isProven: boolean },
  assumed: Assumptions,
  isExcluded: IsExcluded,
): PaceChoice | null {
  const { index: fromIndex, candidateBp } = from;
  const targets = targetsAbove(plan, candidateBp);
  const [smallest] = targets;
  if (smallest === undefined) return null;
  const text = ({ target, open }: Weighed) =>
    `${candidateBp / 100} % → ${target.stage.candidateBp / 100} %: at ${Number(assumed.requestsPerSecond.toPrecision(2))} requests/s ${sayHarm(pace, { target, open })}`;
  const blind = targets.map((target) => weigh(plan, target, assumed, () => false));
  // Only where the traffic was just measured: afterwards a share without proof stays, whatever the traffic becomes.
  const isMeasuring = plan.stages.findIndex(({ kind }) => kind === "traffic") === fromIndex;
  const measured = isMeasuring ? blind.findLast((weighed) => keepsBounds(pace, weighed)) : undefined;
  if (measured !== undefined)
    return { fromIndex, stageIndex: measured.target.index, needsProof: false, text: text(measured) };
  if (!from.isProven) return null;
  // One step is always open to what is proven: shares lie closer together than the slowest growth only at the end.
  const inReach = targets.filter(
    (target) => target === smallest || target.stage.candidateBp <= candidateBp * pace.fastest,
  );
  const weighed = inReach.map((target) => weigh(plan, target, assumed, isExcluded));
  const proven = weighed.findLast((one) => keepsBounds(pace, one));
  if (proven !== undefined) return { fromIndex, stageIndex: proven.target.index, needsProof: true, text: text(proven) };
  const [next] = weighed;
  return { fromIndex, stageIndex: null, needsProof: true, text: next === undefined ? "" : text(next) };
}

/**
 * What is wrong with the bounds on harm for traffic like this, as sentences: the smallest share breaks one, or a
 * healthy candidate would stand at `lastIndex` for ever.
 */
export function brokenBounds(
  plan: RolloutPlan,
  pace: PacePlan,
  assumed: Assumptions,
  lastIndex: number | undefined,
): readonly string[] {
  const [smallest] = targetsAbove(plan, 0);
  if (smallest === undefined) return [];
  const first = weigh(plan, smallest, assumed, () => false);
  const rate = `at ${assumed.requestsPerSecond} requests/s`;
  if (!keepsBounds(pace, first))
    return [
      `${rate} the smallest share of ${smallest.stage.candidateBp / 100} % breaks a bound: ${sayHarm(pace, first)}`,
    ];
  const reached = lastIndex === undefined ? undefined : plan.stages[lastIndex];
  if (reached?.kind !== "traffic" || targetsAbove(plan, reached.candidateBp).length === 0) return [];
  return [`${rate} no share above ${reached.candidateBp / 100} % keeps the bounds, so a person would be asked there`];
}

/** The least margin that a gate has proven; infinite where it would not pass. */
type ProvenMargin = (gate: string) => number;

/** Those traffic stages above a share at which a margin is another one than below. */
export function marginStages(plan: RolloutPlan, candidateBp: number): readonly TrafficStage[] {
  const marginsOf = (stage: TrafficStage) =>
    [errorRate.name, p95Warm.name].map((gate) => marginOf(plan, stage, gate)).join();
  const stages = targetsAbove(plan, candidateBp).map(({ stage }) => stage);
  return stages.filter((stage, at) => {
    const below = stages[at - 1];
    return below === undefined || marginsOf(stage) !== marginsOf(below);
  });
}

/** What is excluded is so at every share: proven at the one in force, or were the gates asked with a tighter margin. */
function provenMargin(inForce: readonly Verdict[], judgeTighter: () => readonly Verdict[]): ProvenMargin {
  let known: readonly Verdict[] | null = null;
  return (gate) => {
    known ??= [...inForce, ...judgeTighter()];
    const margins = known.flatMap((verdict) =>
      verdict.gate === gate && verdict.kind === "pass" ? (verdict.threshold ?? []) : [],
    );
    return Math.min(Number.POSITIVE_INFINITY, ...margins);
  };
}

/** Harm is excluded where a gate has proven a margin below it. */
export function excludedBelow(marginProven: ProvenMargin, failureRate: number): IsExcluded {
  return (severity) => {
    switch (severity) {
      case "dead":
        return marginProven(errorRate.name) < 0.9;
      case "fourfoldErrors":
        return marginProven(errorRate.name) <= 3 * failureRate;
      case "slower40":
        return marginProven(p95Warm.name) <= 1.4;
    }
  };
}

/** A verdict that no bound on harm outweighs: something is wrong, or looks so, and not only unproven. */
function isHeld({ gate, kind, estimate, threshold }: Verdict): boolean {
  if (kind === "pass" || (kind === "no-data" && isTrafficGate(gate))) return false;
  return kind !== "inconclusive" || (estimate !== null && threshold !== null && estimate > threshold);
}

/**
 * The next share of a paced rollout by what was measured so far.
 * @param verdicts what the gates say at the share in force
 */
export function chooseShare(
  { plan, stageIndex, candidateBp }: { plan: RolloutPlan; stageIndex: number; candidateBp: number },
  seen: { readonly evidence: Evidence; readonly rate: TrafficRate },
  at: EpochMs,
  view: StageView,
  verdicts: readonly Verdict[],
): PaceChoice | null {
  const { pace } = plan;
  const perSecond = requestsPerSecond(seen.rate, at);
  if (pace === undefined || plan.stages[stageIndex]?.kind !== "traffic" || perSecond === null) return null;
  const failureRate = stableFailureRate(seen.rate);
  const assumed = { requestsPerSecond: perSecond, failureRate, latencySigma: LATENCY_SIGMA };
  if (verdicts.some(isHeld)) return null;
  const isProven = verdicts.every(({ kind }) => kind === "pass");
  const judgeTighter = () =>
    marginStages(plan, candidateBp).flatMap((stage) =>
      judgeTraffic(seen.evidence, { ...view, candidateBp: stage.candidateBp }, plan.gates),
    );
  const from = { index: stageIndex, candidateBp, isProven };
  return chooseAmong(plan, pace, from, assumed, excludedBelow(provenMargin(verdicts, judgeTighter), failureRate));
}
