import type { TrafficStage } from "../../stage/plan.ts";
import { binomialAtLeast } from "../../stats/binomial.ts";
import { requestsAtRates } from "../../stats/difference.ts";
import { secondsToProof } from "../../stats/power.ts";
import { boundAt } from "../fields.ts";
import { type Assumptions, bothArms, type Needs, shareOf } from "../needs.ts";
import type { ErrorRateOptions } from "./error-rate.ts";

const HARMS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1] as const;
const NEVER = Number.POSITIVE_INFINITY;

/** What the comparison of failure rates needs at a stage of healthy traffic. */
export function errorRateNeeds(options: ErrorRateOptions, stage: TrafficStage, assumed: Assumptions): Needs {
  const { requestsPerSecond, failureRate } = assumed;
  const margin = boundAt(options.margin, stage.candidateBp);
  const candidateShare = shareOf(stage);
  if (options.mode === "literal") {
    const { minSamples } = options;
    const falseStop = binomialAtLeast(Math.floor((failureRate + margin) * minSamples) + 1, minSamples, failureRate);
    return { needsSamples: bothArms(minSamples, candidateShare), falseStop, detectable: `+${margin * 100} points` };
  }
  const none = { failures: 0, total: 0 };
  const rates = { stable: failureRate, candidate: failureRate };
  const goal = { margin, beta: options.beta, candidateShare };
  const needed = requestsAtRates({ stable: none, candidate: none }, rates, goal);
  const seen = HARMS.find((harm) => {
    const candidateRate = Math.min(0.999, failureRate + harm);
    const traffic = { requestsPerSecond, candidateShare, candidateRate, stableRate: failureRate, alpha: options.alpha };
    return (secondsToProof(traffic) ?? NEVER) * 1_000 <= stage.holdMs;
  });
  const detectable = seen === undefined ? "no harm within the hold" : `+${seen * 100} points within the hold`;
  return { needsSamples: needed === null ? null : Math.max(needed, options.minSamples), detectable };
}
