import type { ByArm } from "../../arm.ts";
import { binOf, countAbove, countBins, lowerEdgeMs, quantileOf, type SparseBins } from "../../window/sketch.ts";

export const QUANTILE = 0.95;

/** The p95 of both arms' warm answers and candidate over stable; null while an arm has none. */
export function measureP95(warm: ByArm<SparseBins>) {
  const stableMs = quantileOf(warm.stable, QUANTILE);
  const candidateMs = quantileOf(warm.candidate, QUANTILE);
  return stableMs === null || candidateMs === null ? null : { stableMs, candidateMs, ratio: candidateMs / stableMs };
}

/** Two-sided 97.5 % by rank for one arm's p95: both arms together give at least 95 % for the ratio. */
const RANK_Z = 2.2414;

/** Ranks on either side of the quantile's, by the normal approximation; null while the upper one is not there yet. */
function p95Interval(bins: SparseBins): readonly [low: number, high: number] | null {
  const count = countBins(bins);
  const spread = (RANK_Z * Math.sqrt(QUANTILE * (1 - QUANTILE) * count)) / count;
  if (!(QUANTILE + spread < 1)) return null;
  const [low, high] = [quantileOf(bins, QUANTILE - spread), quantileOf(bins, QUANTILE + spread)];
  return low === null || high === null ? null : [low, high];
}

/** At least 95 % interval of the ratio; null while either arm has too few answers for one. */
export function p95RatioInterval(warm: ByArm<SparseBins>): readonly [low: number, high: number] | null {
  const [stable, candidate] = [p95Interval(warm.stable), p95Interval(warm.candidate)];
  return stable === null || candidate === null ? null : [candidate[0] / stable[1], candidate[1] / stable[0]];
}

/** Answers slower than `thresholdMs` with the bin that holds it counted whole: at least the true number. */
export function countFrom(bins: SparseBins, thresholdMs: number): number {
  return countAbove(bins, lowerEdgeMs(Math.max(0, binOf(thresholdMs) - 1)));
}
