import { errorRate } from "../judge/errors/error-rate.ts";
import { gateNamed } from "../judge/gates.ts";
import { secondsToSlowness } from "../judge/latency/p95-needs.ts";
import { p95Warm } from "../judge/latency/p95-warm.ts";
import { type Assumptions, shareOf } from "../judge/needs.ts";
import { type GateSetting, isInForce } from "../judge/setting.ts";
import type { RolloutPlan, TrafficStage } from "../stage/plan.ts";
import { secondsToProof } from "../stats/power.ts";
import { forecastStage } from "./stage.ts";

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

/** The part of the error budget a gate spends: none where it cannot stop or promises nothing. */
function alphaOf({ gate, options }: GateSetting): number {
  const { alpha, mode } = options;
  const isSpent = typeof alpha === "number" && mode !== "literal" && gateNamed(gate).mayStop(options);
  return isSpent ? alpha : 0;
}

function trafficStages(plan: RolloutPlan): readonly TrafficStage[] {
  return plan.stages.filter((stage) => stage.kind === "traffic");
}

/** Stages are proven one after another, each no sooner than its hold; earlier evidence is not counted. */
function timeTo100(plan: RolloutPlan, assumed: Assumptions): RolloutForecast["to100S"] {
  let [expected, within] = [0, 0];
  for (const stage of trafficStages(plan)) {
    const forecasts = forecastStage(plan, stage, assumed);
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

/** Seconds until failures at `candidateRate` are proven against the usual ones. */
function secondsToErrors(
  stage: TrafficStage,
  { requestsPerSecond, failureRate }: Assumptions,
  rates: { readonly candidateRate: number; readonly alpha: number },
): number | null {
  if (rates.candidateRate <= failureRate) return null;
  return secondsToProof({ requestsPerSecond, candidateShare: shareOf(stage), stableRate: failureRate, ...rates });
}

/** Announces a rollout under stated assumptions about its traffic. */
export function forecastRollout(plan: RolloutPlan, assumed: Assumptions): RolloutForecast {
  const alphaStop = plan.gates.reduce((sum, setting) => sum + alphaOf(setting), 0);
  const [first] = trafficStages(plan);
  const gateAt = (name: string) =>
    plan.gates.find((setting) => setting.gate === name && first !== undefined && isInForce(setting, first.candidateBp));
  const errors = gateAt(errorRate.name);
  const latency = gateAt(p95Warm.name);
  const p95 = latency === undefined ? undefined : p95Warm.optionsOf(latency.options);
  const { failureRate } = assumed;
  const failing = (candidateRate: number): number | null => {
    if (first === undefined || errors === undefined) return null;
    return requestsIn(
      first,
      assumed,
      secondsToErrors(first, assumed, { candidateRate, alpha: alphaOf(errors) || 0.001 }),
    );
  };
  const slower40 =
    first === undefined || p95 === undefined || p95.mode === "literal"
      ? null
      : requestsIn(first, assumed, secondsToSlowness(p95, first, assumed, 1.4));
  const exposed = { dead: failing(0.999), fourfoldErrors: failing(Math.min(0.999, 4 * failureRate)), slower40 };
  return { alphaStop, to100S: timeTo100(plan, assumed), exposed };
}
