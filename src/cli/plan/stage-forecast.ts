import { forecastLeaving, type GateForecast } from "../../core/forecast/stage.ts";
import type { Assumptions } from "../../core/judge/needs.ts";
import { type CourseStage, courseOf } from "../../core/pace/path.ts";
import type { RolloutPlan, Stage } from "../../core/stage/plan.ts";

/** A stage a healthy rollout goes through, and what each gate will need there. */
export interface StageForecast extends CourseStage {
  readonly gates: readonly GateForecast[];
}

/** A rollback is one push to the gateways and running answers ending; the push is confirmed within this. */
const PUSH_WORST_MS = 1_000;

/** Every stage of the course, under stated assumptions about the traffic. */
export function forecastStages(plan: RolloutPlan, assumed: Assumptions): readonly StageForecast[] {
  return courseOf(plan, assumed).map((one) => {
    const { stage, isProven, waitsFor } = one;
    // A share that is left as soon as the traffic is measured asks for no proof.
    return {
      ...one,
      gates: stage.kind === "traffic" && isProven ? forecastLeaving(plan, { stage, waitsFor }, assumed) : [],
    };
  });
}

/** Longest time from a verdict until nothing runs on the candidate any more: one push, then running answers end. */
export function worstRollbackMs(stage: Stage, plan: RolloutPlan): number {
  return stage.kind === "probes" || stage.kind === "shadow" ? 0 : PUSH_WORST_MS + plan.drainMs;
}
