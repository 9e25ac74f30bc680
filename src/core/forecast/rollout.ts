import { type Assumptions, shareOf } from "../judge/needs.ts";
import { alphaOf, secondsToErrors, secondsToSlower40 } from "../pace/expected-harm.ts";
import { type PathStage, trafficPath } from "../pace/path.ts";
import type { RolloutPlan, TrafficStage } from "../stage/plan.ts";
import { forecastShadow } from "./shadow.ts";
import { forecastLeaving } from "./stage.ts";

/** What a whole rollout is announced to do, for a healthy candidate and for three that are not. */
export interface RolloutForecast {
  /** Promised probability of stopping a healthy candidate, whatever its length. */
  readonly alphaStop: number;
  /** Seconds until every user is on a healthy candidate, and the time that only few take longer than; null: never. */
  readonly to100S: { readonly expected: number; readonly within: number } | null;
  /** Candidate requests answered before a harmful candidate is stopped at the first share; null: not seen there. */
  readonly exposed: {
    readonly dead: number | null;
    readonly fourfoldErrors: number | null;
    readonly slower40: number | null;
  };
}

/**
 * How far the time of a proof spreads: a sum of independent steps of evidence reaches its goal within twice its
 * expected time in more than 95 of 100 cases, by rehearsal of the default policy at 10 to 100 requests a second.
 */
const PROOF_SPREAD = 2;

/** Stages are proven one after another, each no sooner than its hold; earlier evidence is not counted. */
function timeTo100(plan: RolloutPlan, path: readonly PathStage[], assumed: Assumptions): RolloutForecast["to100S"] {
  const last = plan.stages.findLast(({ kind }) => kind === "traffic");
  if (path.at(-1)?.stage !== last) return null;
  const shadow = forecastShadow(plan, assumed);
  if (shadow !== null && shadow.seconds === null) return null;
  let [expected, within] = [shadow?.seconds ?? 0, shadow?.seconds ?? 0];
  for (const one of path) {
    const { stage, isProven } = one;
    if (!isProven) {
      expected += stage.holdMs / 1_000;
      within += stage.holdMs / 1_000;
      continue;
    }
    const forecasts = forecastLeaving(plan, one, assumed);
    if (forecasts.some(({ isFeasible }) => !isFeasible)) return null;
    const proofS = Math.max(0, ...forecasts.map(({ expectedS }) => expectedS ?? 0));
    expected += Math.max(stage.holdMs / 1_000, proofS);
    within += Math.max(stage.holdMs / 1_000, PROOF_SPREAD * proofS);
  }
  return { expected, within };
}

/** Candidate requests of a share in so many seconds; null stays null. */
function requestsIn(stage: TrafficStage, { requestsPerSecond }: Assumptions, seconds: number | null): number | null {
  return seconds === null ? null : Math.ceil(seconds * requestsPerSecond * shareOf(stage));
}

/** Announces a rollout under stated assumptions about its traffic. */
export function forecastRollout(plan: RolloutPlan, assumed: Assumptions): RolloutForecast {
  const alphaStop = plan.gates.reduce((sum, setting) => sum + alphaOf(setting), 0);
  const path = trafficPath(plan, assumed);
  const first = path.find(({ isProven }) => isProven)?.stage;
  const failing = (candidateRate: number): number | null =>
    first === undefined ? null : requestsIn(first, assumed, secondsToErrors(plan, first, assumed, candidateRate));
  const slower40 = first === undefined ? null : requestsIn(first, assumed, secondsToSlower40(plan, first, assumed));
  const { failureRate } = assumed;
  const exposed = { dead: failing(0.999), fourfoldErrors: failing(Math.min(0.999, 4 * failureRate)), slower40 };
  return { alphaStop, to100S: timeTo100(plan, path, assumed), exposed };
}
