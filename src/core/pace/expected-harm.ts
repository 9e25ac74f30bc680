import { errorRate } from "../judge/errors/error-rate.ts";
import { boundAt, type ByShare } from "../judge/fields.ts";
import { gateNamed } from "../judge/gates.ts";
import { secondsToSlowness } from "../judge/latency/p95-needs.ts";
import { p95Warm } from "../judge/latency/p95-warm.ts";
import { type Assumptions, shareOf } from "../judge/needs.ts";
import { type GateSetting, isInForce } from "../judge/setting.ts";
import type { HarmBounds } from "../stage/pace.ts";
import type { RolloutPlan, TrafficStage } from "../stage/plan.ts";
import { eventsToProof } from "../stats/allocation-e-process.ts";
import { divergence } from "../stats/binomial.ts";
import { secondsToProof } from "../stats/power.ts";

/** How bad a candidate is that a bound is given for. */
export type Severity = keyof HarmBounds;

/** Errors of a candidate that answers nothing. */
const DEAD_RATE = 0.999;
const FEWEST_ALPHA = 0.001;
/**
 * From a request that proves harm to the last one that the candidate gets: its window (250 ms), the look at it (200 ms)
 * and the push to the gateways (1 s).
 */
const REACTION_S = 1.5;

/** The part of the error budget a gate spends: none where it cannot stop or promises nothing. */
export function alphaOf({ gate, options }: GateSetting): number {
  const { alpha, mode } = options;
  const isSpent = typeof alpha === "number" && mode !== "literal" && gateNamed(gate).mayStop(options);
  return isSpent ? alpha : 0;
}

/** The gate of a plan that is asked at a stage. */
function gateAt(plan: RolloutPlan, stage: TrafficStage, name: string): GateSetting | undefined {
  return plan.gates.find((setting) => setting.gate === name && isInForce(setting, stage.candidateBp));
}

/** What `error-rate` or `p95-warm` excludes once it passes at a stage; infinite where it is not asked. */
export function marginOf(plan: RolloutPlan, stage: TrafficStage, name: string): number {
  const setting = gateAt(plan, stage, name);
  if (setting === undefined) return Number.POSITIVE_INFINITY;
  const kind = name === errorRate.name ? errorRate : p95Warm;
  const { margin } = kind.optionsOf(setting.options) as { readonly margin: ByShare };
  return boundAt(margin, stage.candidateBp);
}

/** Seconds until failures at `candidateRate` are proven against the usual ones; null where they never are. */
export function secondsToErrors(
  plan: RolloutPlan,
  stage: TrafficStage,
  { requestsPerSecond, failureRate }: Assumptions,
  candidateRate: number,
): number | null {
  const gate = gateAt(plan, stage, errorRate.name);
  if (gate === undefined || candidateRate <= failureRate) return null;
  const rates = { candidateRate, stableRate: failureRate, alpha: alphaOf(gate) || FEWEST_ALPHA };
  return secondsToProof({ requestsPerSecond, candidateShare: shareOf(stage), ...rates });
}

/** Seconds until a candidate that is 40 % slower is stopped; null where it never is. */
export function secondsToSlower40(plan: RolloutPlan, stage: TrafficStage, assumed: Assumptions): number | null {
  const latency = gateAt(plan, stage, p95Warm.name);
  const options = latency === undefined ? undefined : p95Warm.optionsOf(latency.options);
  return options === undefined || options.mode === "literal" ? null : secondsToSlowness(options, stage, assumed, 1.4);
}

/** What learning the odds and averaging with the test of few users costs, in nats. */
const LEARNING_COST = 2 + Math.LN2;

/**
 * Users of the candidate who fail until it is proven that they fail `times` as often: evidence grows with each failing
 * user of either arm, whatever the traffic.
 */
function failingUsersToProof(share: number, times: number, alpha: number): number {
  const among = (share * times) / (share * times + 1 - share);
  return (among * (LEARNING_COST - Math.log(alpha))) / divergence(among, share);
}

/**
 * Users harmed on average until a candidate of this severity is stopped at a share: those whose answers prove it, and
 * those who are served until everybody is back. Each request counts as a user of its own, so with users who come again
 * there are fewer. Null where no gate would see it.
 * @source decision-policy.md "Pace by evidence"
 */
export function expectedHarm(
  plan: RolloutPlan,
  stage: TrafficStage,
  assumed: Assumptions,
  severity: Severity,
): number | null {
  const servedPerSecond = shareOf(stage) * assumed.requestsPerSecond;
  switch (severity) {
    case "dead": {
      const gate = gateAt(plan, stage, errorRate.name);
      if (gate === undefined) return null;
      return eventsToProof(shareOf(stage), (alphaOf(gate) || FEWEST_ALPHA) / 2) + servedPerSecond * REACTION_S;
    }
    case "fourfoldErrors": {
      const gate = gateAt(plan, stage, errorRate.name);
      const rate = Math.min(DEAD_RATE, 4 * assumed.failureRate);
      if (gate === undefined || rate <= assumed.failureRate) return null;
      const failing = failingUsersToProof(shareOf(stage), rate / assumed.failureRate, alphaOf(gate) || FEWEST_ALPHA);
      return failing + servedPerSecond * REACTION_S * rate;
    }
    case "slower40": {
      const proofS = secondsToSlower40(plan, stage, assumed);
      return proofS === null ? null : (proofS + REACTION_S) * servedPerSecond;
    }
  }
}
