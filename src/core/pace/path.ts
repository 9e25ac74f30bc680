import { boundAt, type ByShare } from "../judge/fields.ts";
import { errorRate } from "../judge/errors/error-rate.ts";
import { p95Warm } from "../judge/latency/p95-warm.ts";
import type { Assumptions } from "../judge/needs.ts";
import type { RolloutPlan, Stage, TrafficStage } from "../stage/plan.ts";
import { chooseAmong, excludedBelow } from "./choose-share.ts";
import { gateAt } from "./expected-harm.ts";

/** A share that a healthy rollout stands at, and why it was chosen; null for a ladder and for the first share. */
export interface PathStage {
  readonly index: number;
  readonly stage: TrafficStage;
  readonly why: string | null;
  /** False where it is left as soon as the traffic is measured: the bounds hold higher up without a proof. */
  readonly isProven: boolean;
}

/**
 * The shares that a healthy candidate goes through. A ladder has them all; a pace begins at its smallest, until the
 * traffic is measured, and is foretold for traffic as assumed. Ends early where the bounds let it go no further.
 */
export function trafficPath(plan: RolloutPlan, assumed: Assumptions): readonly PathStage[] {
  const all = plan.stages.flatMap((stage, index) =>
    stage.kind === "traffic" ? [{ index, stage, why: null, isProven: true }] : [],
  );
  const { pace } = plan;
  const [first] = all;
  if (pace === undefined || first === undefined) return all;
  const path: PathStage[] = [first];
  for (;;) {
    const { index, stage } = path.at(-1) ?? first;
    const isExcluded = excludedBelow((gate) => marginOf(plan, stage, gate), assumed.failureRate);
    const from = { index, candidateBp: stage.candidateBp, isProven: true };
    const choice = chooseAmong(plan, pace, from, assumed, isExcluded);
    const next = all.find((one) => one.index === choice?.stageIndex);
    if (choice === null || next === undefined) return path;
    if (!choice.needsProof) path[path.length - 1] = { ...(path.at(-1) ?? first), isProven: false };
    path.push({ ...next, why: choice.text });
  }
}

/** A stage a healthy rollout goes through; `why` and `isProven` as on the path. */
export interface CourseStage {
  readonly index: number;
  readonly stage: Stage;
  readonly why: string | null;
  readonly isProven: boolean;
}

/** The path with the probes on the way and the watch at its end. */
export function courseOf(plan: RolloutPlan, assumed: Assumptions): readonly CourseStage[] {
  const path = trafficPath(plan, assumed);
  const isPassed = (at: number): boolean => {
    // Of several probe stages between two shares the last is run, as the strictest.
    const next = path.find(({ index }) => index > at)?.index ?? plan.stages.length;
    return !plan.stages.slice(at + 1, next).some(({ kind }) => kind === "probes");
  };
  return plan.stages.flatMap((stage, index): readonly CourseStage[] => {
    if (stage.kind === "traffic") return path.filter((one) => one.index === index);
    return stage.kind === "watch" || isPassed(index) ? [{ index, stage, why: null, isProven: true }] : [];
  });
}

/** What a gate excludes once it passes at a stage; infinite where it is not asked. */
function marginOf(plan: RolloutPlan, stage: TrafficStage, gate: string): number {
  const setting = gateAt(plan, stage, gate);
  if (setting === undefined) return Number.POSITIVE_INFINITY;
  const kind = gate === errorRate.name ? errorRate : p95Warm;
  const { margin } = kind.optionsOf(setting.options) as { readonly margin: ByShare };
  return boundAt(margin, stage.candidateBp);
}
