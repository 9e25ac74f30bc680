import type { Assumptions } from "../judge/needs.ts";
import type { RolloutPlan, Stage, TrafficStage } from "../stage/plan.ts";
import type { PacePlan } from "../stage/pace.ts";
import { chooseAmong, excludedBelow, marginStages } from "./choose-share.ts";
import { marginOf } from "./expected-harm.ts";

/** A share that a healthy rollout stands at, and why it was chosen; null for a ladder and for the first share. */
export interface PathStage {
  readonly index: number;
  readonly stage: TrafficStage;
  readonly why: string | null;
  /** False where it is left as soon as the traffic is measured: the bounds hold higher up without a proof. */
  readonly isProven: boolean;
  /**
   * A higher share whose tighter margins have to be proven here before the next one is taken, where what this one's
   * prove is too little for the bounds. Null where it is enough.
   */
  readonly waitsFor: TrafficStage | null;
}

/**
 * The shares that a healthy candidate goes through. A ladder has them all; a pace begins at its smallest, until the
 * traffic is measured, and is foretold for traffic as assumed. Ends early where the bounds let it go no further.
 */
export function trafficPath(plan: RolloutPlan, assumed: Assumptions): readonly PathStage[] {
  const all = plan.stages.flatMap((stage, index) =>
    stage.kind === "traffic" ? [{ index, stage, why: null, isProven: true, waitsFor: null }] : [],
  );
  const { pace } = plan;
  const [first] = all;
  if (pace === undefined || first === undefined) return all;
  const path: PathStage[] = [first];
  for (;;) {
    const last = path.at(-1) ?? first;
    const { choice, waitsFor } = nextChoice(plan, pace, last, assumed);
    const next = all.find(({ index }) => index === choice?.stageIndex);
    if (choice === null || next === undefined) return path;
    path[path.length - 1] = { ...last, isProven: choice.needsProof, waitsFor };
    path.push({ ...next, why: choice.text });
  }
}

/** What is chosen once a share is proven; where that is nothing, once the margins of a higher one are proven too. */
function nextChoice(plan: RolloutPlan, pace: PacePlan, { index, stage }: PathStage, assumed: Assumptions) {
  const from = { index, candidateBp: stage.candidateBp, isProven: true };
  const choose = (marginProven: Parameters<typeof excludedBelow>[0]) =>
    chooseAmong(plan, pace, from, assumed, excludedBelow(marginProven, assumed.failureRate));
  const here = (gate: string) => marginOf(plan, stage, gate);
  const choice = choose(here);
  if (choice === null || choice.stageIndex !== null) return { choice, waitsFor: null };
  for (const there of marginStages(plan, stage.candidateBp)) {
    const later = choose((gate) => Math.min(here(gate), marginOf(plan, there, gate)));
    if (later !== null && later.stageIndex !== null) return { choice: later, waitsFor: there };
  }
  return { choice, waitsFor: null };
}

/** A stage a healthy rollout goes through; `why`, `isProven` and `waitsFor` as on the path. */
export interface CourseStage {
  readonly index: number;
  readonly stage: Stage;
  readonly why: string | null;
  readonly isProven: boolean;
  readonly waitsFor: TrafficStage | null;
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
    return stage.kind === "watch" || isPassed(index)
      ? [{ index, stage, why: null, isProven: true, waitsFor: null }]
      : [];
  });
}
