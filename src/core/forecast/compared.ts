import { requestsAtRates } from "../stats/difference.ts";
import { binomialAtLeast } from "../stats/binomial.ts";
import { exceedanceRate, quantileDeviation, secondsToProof } from "../stats/power.ts";
import { normalCdf } from "../stats/special.ts";
import type { TrafficStage } from "../stage/plan.ts";
import type { GateSetting } from "../gate/gate.ts";
import { secondsToOutlast } from "../gate/swing-guard.ts";
import { boundAt, type ErrorRateOptions, type NewErrorClassOptions, type P95Options } from "../gate/options.ts";
import { type Assumptions, bothArms, type Needs, shareOf } from "./needs.ts";

const HARMS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1] as const;
const RATIOS = [1.15, 1.2, 1.25, 1.3, 1.4, 1.6, 2, 3, 5] as const;
const NEVER = Number.POSITIVE_INFINITY;

/** Options were checked against the gate's schema when the document was read. */
function optionsOf<Options>({ options }: GateSetting): Options {
  return options as unknown as Options;
}

export function forecastErrors(setting: GateSetting, stage: TrafficStage, assumed: Assumptions): Needs {
  const options = optionsOf<ErrorRateOptions>(setting);
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

/** Seconds until a candidate slower by `factor` is stopped at a stage; null when it never is. */
export function secondsToSlowness(
  { harmRatio, alpha, swingMs }: P95Options,
  stage: TrafficStage,
  { requestsPerSecond, latencySigma }: Assumptions,
  factor: number,
): number | null {
  const candidateRate = exceedanceRate(0.95, harmRatio, factor, latencySigma);
  const traffic = { requestsPerSecond, candidateShare: shareOf(stage), candidateRate, stableRate: 0.05 };
  // Where a slower candidate exceeds less often than stable does, there is nothing to see.
  const proofS = candidateRate <= traffic.stableRate ? null : secondsToProof({ ...traffic, alpha });
  return proofS === null ? null : Math.max(proofS, secondsToOutlast({ ...traffic, swingMs }));
}

export function forecastP95(setting: GateSetting, stage: TrafficStage, assumed: Assumptions): Needs {
  const options = optionsOf<P95Options>(setting);
  const { requestsPerSecond, latencySigma } = assumed;
  const margin = boundAt(options.margin, stage.candidateBp);
  const candidateShare = shareOf(stage);
  if (options.mode === "literal") {
    const spread = Math.SQRT2 * quantileDeviation(0.95, options.minSamples, latencySigma);
    const falseStop = 1 - normalCdf(Math.log(options.harmRatio) / spread);
    const detectable = `${options.harmRatio}x`;
    return { needsSamples: bothArms(options.minSamples, candidateShare), falseStop, detectable };
  }
  const traffic = { requestsPerSecond, candidateShare, stableRate: 0.05 };
  const proofRate = exceedanceRate(0.95, margin, 1, latencySigma);
  const proofS = secondsToProof({ ...traffic, candidateRate: proofRate, alpha: options.beta });
  const seen = RATIOS.find(
    (factor) => (secondsToSlowness(options, stage, assumed, factor) ?? NEVER) * 1_000 <= stage.holdMs,
  );
  const needed = proofS === null ? null : Math.ceil(proofS * requestsPerSecond * candidateShare);
  const detectable = seen === undefined ? "no slowness within the hold" : `${seen}x within the hold`;
  return { needsSamples: needed === null ? null : Math.max(needed, options.minSamples), detectable };
}

export function forecastNewClass(setting: GateSetting, stage: TrafficStage, assumed: Assumptions): Needs {
  const { alpha } = optionsOf<NewErrorClassOptions>(setting);
  const sightings = Math.ceil(Math.log(alpha) / Math.log(shareOf(stage)));
  const candidateRequests = (assumed.requestsPerSecond * shareOf(stage) * stage.holdMs) / 1_000;
  const rate = candidateRequests === 0 ? 1 : Math.min(1, sightings / candidateRequests);
  return {
    needsSamples: 1, // Nothing to prove: a class that is not there is not new.
    detectable: `${sightings} sightings: a class on ${(rate * 100).toPrecision(2)} % of the requests`,
  };
}
