import { assert } from "../assert.ts";
import { bestMixtureWidth } from "./normal-mixture.ts";
import { lnBeta, lnBetaCdf } from "./special.ts";

/** Successes (or failures, or hits) among independent trials; 0 <= successes <= total. */
export interface Tally {
  readonly successes: number;
  readonly total: number;
}

/** Sample size and error rate at which a mixture shall be tightest. It is valid at every other size too. */
export interface Tuning {
  readonly samples: number;
  readonly alpha: number;
}

/** The alternatives mixed over: rates `above` or `below` the null rate, or `both`. */
export type MixtureSide = "above" | "below" | "both";

/**
 * Logarithm of a mixture martingale for a rate: the likelihood of the tally averaged over a Beta(a, b) prior cut off at
 * `nullRate`, over its likelihood at `nullRate`. For `below` it is an e-process of every rate >= `nullRate`, for
 * `above` of every rate <= `nullRate`. `a` and `b` must not depend on the data.
 * @param nullRate strictly between 0 and 1
 * @source H. Robbins, "Statistical methods related to the law of the iterated logarithm", Ann. Math. Stat. 41 (1970);
 * the cut-off prior as in the one-sided beta-binomial mixture of Howard et al. (2021)
 */
export function lnBetaMixture(tally: Tally, nullRate: number, a: number, b: number, side: MixtureSide): number {
  const { successes, total } = tally;
  assert(successes >= 0 && successes <= total, `0 <= successes <= total: ${successes} of ${total}`);
  assert(nullRate > 0 && nullRate < 1, `a null rate is strictly between 0 and 1: ${nullRate}`);
  const failures = total - successes;
  const average = lnBeta(a + successes, b + failures) - lnBeta(a, b);
  const atNull = successes * Math.log(nullRate) + failures * Math.log1p(-nullRate);
  if (side === "both") return average - atNull;
  const tail = side === "below" ? "lower" : "upper";
  const kept = lnBetaCdf(nullRate, a + successes, b + failures, tail) - lnBetaCdf(nullRate, a, b, tail);
  return average + kept - atNull;
}

/**
 * Logarithm of the beta-binomial mixture against `nullRate`: a beta prior around the null rate, as wide as suits the
 * tuning. Under the null, P(ever >= ln(1/alpha)) <= alpha.
 * @source Howard et al. (2021), one- and two-sided beta-binomial mixtures, with g = p, h = 1 - p; tuning as in the
 * authors' confseq, `BetaBinomialMixture::optimal_r`
 */
export function lnBetaBinomial(tally: Tally, nullRate: number, tuning: Tuning, side: MixtureSide): number {
  const variance = nullRate * (1 - nullRate);
  const sides = side === "both" ? "two-sided" : "one-sided";
  const rho = bestMixtureWidth(variance * tuning.samples, tuning.alpha, sides);
  const width = Math.max(rho - variance, 1e-3 * variance);
  return lnBetaMixture(tally, nullRate, width / (1 - nullRate), width / nullRate, side);
}

/**
 * Confidence sequence of a rate: contains the true rate at all sample sizes at once with probability >= 1 - alpha.
 * An empty tally gives [0, 1].
 * @source Howard et al. (2021), two-sided beta-binomial mixture, inverted by bisection
 */
export function rateInterval(tally: Tally, alpha: number, tuning: Tuning): readonly [low: number, high: number] {
  const excluded = (rate: number): boolean => lnBetaBinomial(tally, rate, tuning, "both") >= -Math.log(alpha);
  return [rateEdge(tally, excluded, "low"), rateEdge(tally, excluded, "high")];
}

/** One end of the confidence sequence, with the whole of `alpha` spent on that side. */
export function rateBound(tally: Tally, alpha: number, tuning: Tuning, end: "low" | "high"): number {
  const side = end === "low" ? "above" : "below";
  return rateEdge(tally, (rate) => lnBetaBinomial(tally, rate, tuning, side) >= -Math.log(alpha), end);
}

/** Bisects between the estimate, which is never excluded, and the end of the unit interval. */
function rateEdge(tally: Tally, excluded: (rate: number) => boolean, end: "low" | "high"): number {
  const limit = end === "low" ? 0 : 1;
  const estimate = tally.total === 0 ? limit : tally.successes / tally.total;
  if (estimate === limit) return limit;
  let [inside, outside]: [number, number] = [estimate, limit];
  for (let step = 0; step < 60; step++) {
    const middle = (inside + outside) / 2;
    if (middle <= 0 || middle >= 1) break;
    if (excluded(middle)) outside = middle;
    else inside = middle;
  }
  // Outwards, so that rounding never makes the interval too short.
  return outside;
}
