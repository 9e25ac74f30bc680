import { clusteredMean } from "../stats/clustered-mean.ts";
import type { UnitSums } from "./unit-sums.ts";
import type { UnitMeasure, UnitTable } from "./unit-table.ts";

/** Difference of the arms' event rates, averaged over units, with a standard error that clusters by unit. */
export interface ClusterDifference {
  /** Candidate minus stable. */
  readonly estimate: number;
  readonly standardError: number;
  /** Squared standard errors of the rates. */
  readonly variances: { readonly stable: number; readonly candidate: number };
  readonly rates: { readonly stable: number; readonly candidate: number };
  readonly units: { readonly stable: number; readonly candidate: number };
  /** Units that had the event: with few of them the standard error itself is not known. */
  readonly failing: { readonly stable: number; readonly candidate: number };
  /**
   * Variance beside that of as many independent requests (Kish's design effect), the larger of both arms' and at least
   * 1: so many requests of one unit say as much as one of a unit of its own.
   */
  readonly designEffect: number;
}

interface ArmRate {
  readonly rate: number;
  readonly variance: number;
  readonly independent: number;
  readonly units: number;
  readonly failing: number;
}

/**
 * Weighs each unit by its requests up to 20, so that neither one busy unit decides nor a unit's single request counts
 * as much as twenty. Immune to units that merely return more often on one arm: it compares rates, not counts. Null
 * while an arm has fewer than two units.
 * @source W. G. Cochran, "Sampling Techniques" (3rd ed. 1977) §6.4, variance of a ratio over clusters; L. Kish, "Survey
 * Sampling" (1965) §5.4, design effect
 */
export function clusterDifference(table: UnitTable, measure: UnitMeasure): ClusterDifference | null {
  const [stable, candidate] = [armRate(table.sums("stable", measure)), armRate(table.sums("candidate", measure))];
  if (stable.units < 2 || candidate.units < 2) return null;
  const variance = stable.variance + candidate.variance;
  return {
    estimate: candidate.rate - stable.rate,
    standardError: Math.sqrt(variance),
    variances: { stable: stable.variance, candidate: candidate.variance },
    rates: { stable: stable.rate, candidate: candidate.rate },
    units: { stable: stable.units, candidate: candidate.units },
    failing: { stable: stable.failing, candidate: candidate.failing },
    designEffect: Math.max(1, effectOf(stable), effectOf(candidate)),
  };
}

function effectOf({ variance, independent }: ArmRate): number {
  return independent === 0 ? 1 : variance / independent;
}

function armRate(sums: Readonly<UnitSums>): ArmRate {
  const found = clusteredMean(sums);
  if (found === null) return { rate: 0, variance: 0, independent: 0, units: 0, failing: 0 };
  const { mean: rate, variance } = found;
  const { clusters: units, failing, weights } = sums;
  return { rate, variance, independent: (rate * (1 - rate)) / weights, units, failing };
}

/** Units with the event, in each arm, below which an interval would be too narrow. @source decision-policy.md */
export const FAILING_LEAST = 40;
const TWO_SIDED_Z = 1.96;

/** A 95 % interval of the difference, over units; null while too few of either arm had the event. */
export function differenceInterval({
  estimate,
  standardError,
  failing,
}: ClusterDifference): readonly [low: number, high: number] | null {
  if (Math.min(failing.stable, failing.candidate) < FAILING_LEAST) return null;
  const half = TWO_SIDED_Z * standardError;
  return [estimate - half, estimate + half];
}

/** Standard errors by which the rates must differ before counted units may stop a rollout. */
const GUARD_Z = 3;

/**
 * Whether the candidate's units fail at a higher rate, and not only more often because they return more often. A
 * condition beside the fuse, so it can only lower the probability of a false stop. With units that return twice as
 * often on the candidate and fail at the same 2 %, the fuse alone stopped 38 % of healthy rollouts and 0 to 0.5 % with
 * this; harm of +1.5 points was found after 373 s instead of 371 s.
 */
export function isRateHigher(difference: ClusterDifference | null): boolean {
  return difference !== null && difference.estimate > GUARD_Z * difference.standardError;
}
