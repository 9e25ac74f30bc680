import type { RolloutPlan, TrafficStage } from "../stage/plan.ts";
import { exceedanceRate, secondsToProof } from "../stats/power.ts";
import { requestsAtRates } from "../stats/difference.ts";
import { boundAt, type ErrorRateOptions, type NewErrorClassOptions, type P95Options } from "./options.ts";

/** What a gate will need at one stage, under stated assumptions about healthy traffic. */
export interface GateForecast {
  readonly gate: string;
  /** Candidate requests until a healthy candidate is proven inside the margin; null when it never is. */
  readonly needsSamples: number | null;
  /** Seconds that takes at the given rate, evidence of earlier stages not counted; null when unknown or never. */
  readonly expectedS: number | null;
  /** False when the stage's cap ends before the proof. */
  readonly isFeasible: boolean;
  /** The smallest harm this gate sees within the hold, as a sentence. */
  readonly detectable: string;
}

/** The traffic a forecast assumes: base failure rate and spread of warm latency (sigma of the logarithm). */
export interface Assumptions {
  readonly requestsPerSecond: number;
  readonly failureRate: number;
  readonly latencySigma: number;
}

const HARMS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1] as const;
const RATIOS = [1.15, 1.2, 1.25, 1.3, 1.4, 1.6, 2, 3, 5] as const;

function share(stage: TrafficStage): number {
  return Math.min(0.9999, stage.candidateBp / 10_000);
}

function errorForecast(options: ErrorRateOptions, stage: TrafficStage, assumed: Assumptions) {
  const { requestsPerSecond, failureRate } = assumed;
  const margin = boundAt(options.margin, stage.candidateBp);
  const none = { failures: 0, total: 0 };
  const rates = { stable: failureRate, candidate: failureRate };
  const goal = { margin, beta: options.beta, candidateShare: share(stage) };
  const needed = requestsAtRates({ stable: none, candidate: none }, rates, goal);
  const seen = HARMS.find((harm) => {
    const candidateRate = Math.min(0.999, failureRate + harm);
    const traffic = {
      requestsPerSecond,
      candidateShare: share(stage),
      candidateRate,
      stableRate: failureRate,
      alpha: options.alpha,
    };
    return (secondsToProof(traffic) ?? Number.POSITIVE_INFINITY) * 1_000 <= stage.holdMs;
  });
  const detectable = seen === undefined ? "no harm within the hold" : `+${seen * 100} points within the hold`;
  return { needsSamples: needed === null ? null : Math.max(needed, options.minSamples), detectable };
}

function latencyForecast(options: P95Options, stage: TrafficStage, assumed: Assumptions) {
  const { requestsPerSecond, latencySigma } = assumed;
  const margin = boundAt(options.margin, stage.candidateBp);
  const traffic = { requestsPerSecond, candidateShare: share(stage), stableRate: 0.05 };
  const proofS = secondsToProof({
    ...traffic,
    candidateRate: exceedanceRate(0.95, margin, 1, latencySigma),
    alpha: options.beta,
  });
  const seen = RATIOS.find((factor) => {
    const candidateRate = exceedanceRate(0.95, options.harmRatio, factor, latencySigma);
    return (
      (secondsToProof({ ...traffic, candidateRate, alpha: options.alpha }) ?? Number.POSITIVE_INFINITY) * 1_000 <=
      stage.holdMs
    );
  });
  const needed = proofS === null ? null : Math.ceil(proofS * requestsPerSecond * share(stage));
  const detectable = seen === undefined ? "no slowness within the hold" : `${seen}x within the hold`;
  return { needsSamples: needed === null ? null : Math.max(needed, options.minSamples), detectable };
}

function newClassForecast(options: NewErrorClassOptions, stage: TrafficStage, assumed: Assumptions) {
  const sightings = Math.ceil(Math.log(options.alpha) / Math.log(share(stage)));
  const candidateRequests = (assumed.requestsPerSecond * share(stage) * stage.holdMs) / 1_000;
  const rate = candidateRequests === 0 ? 1 : Math.min(1, sightings / candidateRequests);
  return {
    needsSamples: 1, // Nothing to prove: a class that is not there is not new.
    detectable: `${sightings} sightings: a class on ${(rate * 100).toPrecision(2)} % of the requests`,
  };
}

/** What every traffic gate of a plan needs at one stage. */
export function forecastStage(plan: RolloutPlan, stage: TrafficStage, assumed: Assumptions): readonly GateForecast[] {
  return plan.gates.flatMap(({ gate, options }) => {
    const forecast =
      gate === "error-rate"
        ? errorForecast(options as unknown as ErrorRateOptions, stage, assumed)
        : gate === "p95-warm"
          ? latencyForecast(options as unknown as P95Options, stage, assumed)
          : gate === "new-error-class"
            ? newClassForecast(options as unknown as NewErrorClassOptions, stage, assumed)
            : null;
    if (forecast === null) return [];
    const { needsSamples } = forecast;
    const expectedS = needsSamples === null ? null : needsSamples / (assumed.requestsPerSecond * share(stage));
    return [{ gate, ...forecast, expectedS, isFeasible: expectedS !== null && expectedS * 1_000 <= stage.capMs }];
  });
}
