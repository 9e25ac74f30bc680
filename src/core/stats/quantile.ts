import { assert } from "../assert.ts";
import { type BernoulliEProcess, startBernoulliEProcess } from "./bernoulli-e-process.ts";
import { lnBetaBinomial, type MixtureSide, type Tuning } from "./beta-binomial.ts";

export interface QuantileComparison {
  /** The quantile compared, strictly between 0 and 1: 0.95 for p95. */
  readonly quantile: number;
  /** Sample size per arm and error rate at which the test is sharpest; valid at every size. */
  readonly tuning: Tuning;
  /** `two-sided`: the quantiles differ. `candidate-higher`: the candidate's is above stable's. */
  readonly alternative: "two-sided" | "candidate-higher";
}

/**
 * Anytime-valid p-value of "both arms have the same quantile" (or, one-sided, "the candidate's is not above stable's").
 * For "within 25 %" divide the candidate's values by 1.25 first. 1 when an arm is empty.
 * @param stable, candidate ascending values, ties allowed, each arm independent and identically distributed: latency
 * that drifts during the rollout breaks this, use the exceedance e-process there
 * @source S. Howard, A. Ramdas, "Sequential estimation of quantiles with applications to A/B testing", Bernoulli 28
 * (2022), section 5 (two-sided); the one-sided form replaces both mixtures by their one-sided halves
 */
export function quantilePValue(
  stable: readonly number[],
  candidate: readonly number[],
  comparison: QuantileComparison,
): number {
  assert(isAscending(stable) && isAscending(candidate), "both arms are sorted in ascending order");
  if (stable.length === 0 || candidate.length === 0) return 1;
  const { quantile, tuning, alternative } = comparison;
  const twoSided = alternative === "two-sided";
  const stableSide: MixtureSide = twoSided ? "both" : "above";
  const candidateSide: MixtureSide = twoSided ? "both" : "below";
  const lnE = leastSum(
    evidenceByRank(stable.length, quantile, tuning, stableSide),
    evidenceByRank(candidate.length, quantile, tuning, candidateSide),
    stable,
    candidate,
  );
  return Math.min(1, Math.exp(-lnE));
}

/**
 * Starts the live form of the quantile comparison: a Bernoulli e-process over exceedances. In every block the caller
 * takes a threshold x from *earlier* stable data (a running p95) and folds, with `foldBernoulli`, how many stable
 * latencies were above x and how many candidate latencies were above x times `ratio`, of how many each.
 *
 * Null hypothesis of `higher`: in every block, given the past, P(candidate > ratio * x) <= P(stable > x). It is implied
 * by "the candidate's latency is stochastically at most `ratio` times stable's", and is the quantile hypothesis itself
 * where x is stable's quantile. Both arms are compared in the same seconds, so drift and autocorrelation that they
 * share change the common rate of exceedance and are no evidence. `lower` proves the opposite: the candidate's
 * quantile is below `ratio` times stable's, which excludes harm beyond the ratio.
 * @param quantile strictly between 0 and 1: 0.95 expects 5 % of stable requests above x
 * @source as `foldBernoulli`
 */
export function startExceedances(quantile: number, direction: "higher" | "lower"): BernoulliEProcess {
  assert(quantile > 0 && quantile < 1, `a quantile is strictly between 0 and 1: ${quantile}`);
  // The better arm's rate: stable's own, or that of a candidate clearly inside the ratio.
  const rate = direction === "higher" ? 1 - quantile : (1 - quantile) * 0.4;
  return startBernoulliEProcess({ direction, prior: { rate, weight: 200 } });
}

/** For one arm: ln of the evidence that x is not its quantile, when `rank` of its values are below x. */
function evidenceByRank(size: number, quantile: number, tuning: Tuning, side: MixtureSide): readonly number[] {
  return Array.from({ length: size + 1 }, (_, rank) =>
    lnBetaBinomial({ successes: rank, total: size }, quantile, tuning, side),
  );
}

/**
 * Least sum over all x. At a value that the data hold, the rank may be any between "below" and "not above": the one
 * with least evidence counts, which also covers the gaps beside it.
 */
function leastSum(
  stableEvidence: readonly number[],
  candidateEvidence: readonly number[],
  stable: readonly number[],
  candidate: readonly number[],
): number {
  let least = Number.POSITIVE_INFINITY;
  let [stableBelow, candidateBelow] = [0, 0];
  while (stableBelow < stable.length || candidateBelow < candidate.length) {
    const x = Math.min(
      stable[stableBelow] ?? Number.POSITIVE_INFINITY,
      candidate[candidateBelow] ?? Number.POSITIVE_INFINITY,
    );
    const stableUpTo = skipEqual(stable, stableBelow, x);
    const candidateUpTo = skipEqual(candidate, candidateBelow, x);
    const sum =
      leastBetween(stableEvidence, stableBelow, stableUpTo) +
      leastBetween(candidateEvidence, candidateBelow, candidateUpTo);
    least = Math.min(least, sum);
    [stableBelow, candidateBelow] = [stableUpTo, candidateUpTo];
  }
  return least;
}

function skipEqual(values: readonly number[], from: number, x: number): number {
  let at = from;
  while (at < values.length && values[at] === x) at++;
  return at;
}

function leastBetween(evidence: readonly number[], from: number, to: number): number {
  let least = evidence[from] ?? Number.POSITIVE_INFINITY;
  for (let rank = from + 1; rank <= to; rank++) least = Math.min(least, evidence[rank] ?? Number.POSITIVE_INFINITY);
  return least;
}

function isAscending(values: readonly number[]): boolean {
  return values.every((value, i) => i === 0 || value >= (values[i - 1] ?? Number.NaN));
}
