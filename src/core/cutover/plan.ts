import type { RolloutPlan } from "../stage/plan.ts";
import type { CachePlan, IndexPlan, QueuePlan } from "./resources.ts";

/** What is cut over beside traffic, and within which bounds. */
export interface CutoverTerms {
  readonly index: IndexPlan | null;
  readonly queue: QueuePlan | null;
  readonly cache: CachePlan | null;
  /** Longest time that nobody may act on effects before it all goes back; null: the service has no effects. */
  readonly freezeMs: number | null;
  /** How long the arm before is kept ready, once the other one serves. */
  readonly holdMs: number;
  /** How long each step may be tried again, each way. */
  readonly stepWithinMs: number;
  /**
   * Fencing tokens of its orders lie above it: the highest that was ever ordered by for the service. Given when it is
   * accepted.
   */
  readonly fromEpoch: number;
}

/** All users, readers and effects of a service from one arm to the other, in a proven order. Its stages are empty. */
export interface CutoverPlan extends RolloutPlan {
  readonly cutover: CutoverTerms;
}

/** A plan of the other kind climbs shares. */
export function isCutover(plan: RolloutPlan): plan is CutoverPlan {
  return "cutover" in plan;
}
