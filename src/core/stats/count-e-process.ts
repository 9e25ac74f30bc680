import { assert } from "../assert.ts";
import { lnBetaMixture } from "./beta-binomial.ts";
import { lnGamma } from "./special.ts";

/** Bad events seen so far, and how many of them on the candidate. No denominators. */
export interface EventCount {
  readonly events: number;
  readonly onCandidate: number;
}

/**
 * Share of events that falls on the candidate when its event rate is `toleratedRatio` times stable's.
 * @param candidateShare realised share of the exposure, strictly between 0 and 1
 * @source M. Lindon, A. Malek, "Anytime-valid inference for multinomial count data", NeurIPS 2022
 */
export function expectedEventShare(candidateShare: number, toleratedRatio: number): number {
  assert(candidateShare > 0 && candidateShare < 1, `a share is strictly between 0 and 1: ${candidateShare}`);
  assert(toleratedRatio > 0, `a tolerated ratio is > 0: ${toleratedRatio}`);
  const weighted = candidateShare * toleratedRatio;
  return weighted / (weighted + 1 - candidateShare);
}

/**
 * ln of the e-value that events fall on the candidate more often than `nullShare`: the binomial likelihood averaged
 * over a uniform prior above `nullShare`, over that at `nullShare`. Anytime-valid for every true share <= `nullShare`.
 * Only valid while realised exposure is what `nullShare` assumes: test the split first.
 * @source Lindon & Malek (2022), two arms, with the prior Beta(1, 1) cut off at the null share
 */
export function lnEventsOnCandidate({ events, onCandidate }: EventCount, nullShare: number): number {
  return lnBetaMixture({ successes: onCandidate, total: events }, nullShare, 1, 1, "above");
}

/**
 * ln of the e-value against "assignments follow `shares`" (sample-ratio mismatch), on counts of distinct units.
 * @param counts units per arm, in the order of `shares`
 * @param shares planned shares, each > 0, sum 1
 * @param concentration weight of the Dirichlet prior centred on `shares`; higher looks for smaller mismatches
 * @source Lindon & Malek (2022), Dirichlet-multinomial martingale: B(a + n) / B(a) over the product of shares^counts, a
 *   = k * shares
 */
export function lnSampleRatioMismatch(
  counts: readonly number[],
  shares: readonly number[],
  concentration = 100,
): number {
  assert(counts.length === shares.length && counts.length >= 2, "one count for each share, at least two");
  assert(concentration > 0 && shares.every((share) => share > 0), "shares and concentration are > 0");
  assert(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-9, `shares sum to 1: ${shares.join(", ")}`);
  const total = counts.reduce((sum, count) => sum + count, 0);
  let lnE = lnGamma(concentration) - lnGamma(concentration + total);
  for (const [arm, share] of shares.entries()) {
    const count = counts[arm] ?? 0;
    const weight = concentration * share;
    lnE += lnGamma(weight + count) - lnGamma(weight) - count * Math.log(share);
  }
  return lnE;
}
