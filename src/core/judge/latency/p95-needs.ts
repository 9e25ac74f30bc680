import type { TrafficStage } from "../../stage/plan.ts";
import { exceedanceRate, quantileDeviation } from "../../stats/latency-shape.ts";
import { secondsToProof } from "../../stats/power.ts";
import { normalCdf } from "../../stats/special.ts";
import { boundAt } from "../fields.ts";
import { type Assumptions, bothArms, latencyShapeOf, type Needs, shareOf } from "../needs.ts";
import type { P95Options } from "./p95-gate.ts";
import { secondsToOutlast } from "./swing-guard.ts";

const RATIOS = [1.15, 1.2, 1.25, 1.3, 1.4, 1.6, 2, 3, 5] as const;
const NEVER = Number.POSITIVE_INFINITY;

/** Seconds until a candidate slower by `factor` is stopped at a stage; null when it never is. */
export function secondsToSlowness(
  { harmRatio, alpha, swingMs }: P95Options,
  stage: TrafficStage,
  assumed: Assumptions,
  factor: number,
): number | null {
  const candidateRate = exceedanceRate(0.95, harmRatio, factor, latencyShapeOf(assumed));
  const { requestsPerSecond } = assumed;
  const traffic = { requestsPerSecond, candidateShare: shareOf(stage), candidateRate, stableRate: 0.05 };
  // Where a slower candidate exceeds less often than stable does, there is nothing to see.
  const proofS = candidateRate <= traffic.stableRate ? null : secondsToProof({ ...traffic, alpha });
  return proofS === null ? null : Math.max(proofS, secondsToOutlast({ ...traffic, swingMs }));
}

/** What a comparison of p95 needs at a stage of healthy traffic. */
export function p95Needs(options: P95Options, stage: TrafficStage, assumed: Assumptions): Needs {
  const { requestsPerSecond } = assumed;
  const latency = latencyShapeOf(assumed);
  const margin = boundAt(options.margin, stage.candidateBp);
  const candidateShare = shareOf(stage);
  if (options.mode === "literal") {
    const spread = Math.SQRT2 * quantileDeviation(0.95, options.minSamples, latency);
    const falseStop = 1 - normalCdf(Math.log(options.harmRatio) / spread);
    const detectable = `${options.harmRatio}x`;
    return { needsSamples: bothArms(options.minSamples, candidateShare), falseStop, detectable };
  }
  const traffic = { requestsPerSecond, candidateShare, stableRate: 0.05 };
  const proofRate = exceedanceRate(0.95, margin, 1, latency);
  const proofS = secondsToProof({ ...traffic, candidateRate: proofRate, alpha: options.beta });
  const seen = RATIOS.find(
    (factor) => (secondsToSlowness(options, stage, assumed, factor) ?? NEVER) * 1_000 <= stage.holdMs,
  );
  const needed = proofS === null ? null : Math.ceil(proofS * requestsPerSecond * candidateShare);
  const detectable =
    seen === undefined ? "no slowness so early, and looks on after the hold" : `${seen}x within the hold`;
  return { needsSamples: needed === null ? null : Math.max(needed, options.minSamples), detectable };
}
