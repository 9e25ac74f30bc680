import { assert } from "../assert.ts";
import type { ArmCount, CountBlock } from "./count-block.ts";
import { lnBetaMixture } from "./beta-binomial.ts";

/**
 * Priors of the two mixtures. Candidate: uniform below the null rate. Stable: a quarter of the capital on rates above
 * the null rate, three quarters kept, so that a small stable arm cannot cost more than a factor 4/3. Chosen by
 * computation for a base rate of 0.5 % (see `difference.test.ts`); another base rate costs power, never validity.
 */
const CANDIDATE_PRIOR = { a: 1, b: 1 } as const;
const STABLE_PRIOR = { a: 1, b: 400 } as const;
const STABLE_BET = 0.25;
const RATE_MIN = 1e-9;

/**
 * Evidence that the candidate's failure rate is less than `margin` (a share, 0.02 = 2 points) above stable's, as ln of
 * an e-value. Under the null "candidate >= stable + margin" P(it ever reaches ln(1/beta)) <= beta, at any look.
 *
 * For each common level p the product of "stable is above p" and "candidate is below p + margin" is an e-process of
 * that null point, because the arms are independent given the split; the least one over p holds for all of them.
 * @param totals all evidence so far, not one block. Each arm's rate is taken as constant: if the common level drifts
 * while the share changes, totals compare different hours: use `foldExcess`, which has no such weakness, while live
 * @source confidence sequences by mixtures: `lnBetaMixture`; combining arms by the least product: S. Howard,
 * A. Ramdas, "Sequential estimation of quantiles with applications to A/B testing", Bernoulli 28 (2022), section 5
 */
export function lnExcessExcluded(totals: CountBlock, margin: number): number {
  assert(margin > 0 && margin < 1, `a margin is a share strictly between 0 and 1: ${margin}`);
  const { stable, candidate } = totals;
  if (candidate.total === 0) return 0;
  const highest = Math.min(1 - margin - RATE_MIN, levelAbove(stable));
  const at = (level: number): number => lnStableAbove(stable, level) + lnCandidateBelow(candidate, level + margin);
  return leastOn(at, RATE_MIN, Math.max(2 * RATE_MIN, highest));
}

/**
 * The smallest margin excluded at error rate `beta`: "harm beyond this is excluded". Null when nothing is.
 * Accurate to 1e-5, rounded up.
 */
export function excludedExcess(totals: CountBlock, beta: number): number | null {
  const goal = -Math.log(beta);
  const excluded = (margin: number): boolean => lnExcessExcluded(totals, margin) >= goal;
  let [low, high] = [0, 0.999];
  if (!excluded(high)) return null;
  while (high - low > 1e-5) {
    const middle = (low + high) / 2;
    if (excluded(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/**
 * About how many more candidate requests exclude `margin` at error rate `beta`, if both arms go on as they did; 0 when
 * it is excluded already, null when the candidate is too close to the margin for ten million requests.
 * @param candidateShare share of the coming requests that the candidate gets, strictly between 0 and 1
 */
export function requestsToExclude(
  totals: CountBlock,
  margin: number,
  beta: number,
  candidateShare: number,
): number | null {
  const { stable, candidate } = totals;
  const stableRate = (stable.failures + 0.5) / (stable.total + 100);
  // A candidate with few requests is expected to resemble stable: 0 of 10 is not a promise of 0 % for ever.
  const candidateRate = (candidate.failures + 100 * stableRate) / (candidate.total + 100);
  return requestsAtRates(totals, { stable: stableRate, candidate: candidateRate }, { margin, beta, candidateShare });
}

/** The same for assumed rates of failure from now on; with empty totals this plans a stage. */
export function requestsAtRates(
  totals: CountBlock,
  rates: { readonly stable: number; readonly candidate: number },
  goal: { readonly margin: number; readonly beta: number; readonly candidateShare: number },
): number | null {
  const { margin, beta, candidateShare } = goal;
  assert(candidateShare > 0 && candidateShare < 1, `a share strictly between 0 and 1 is needed: ${candidateShare}`);
  const enough = (more: number): boolean => {
    const later = {
      stable: grown(totals.stable, rates.stable, (more * (1 - candidateShare)) / candidateShare),
      candidate: grown(totals.candidate, rates.candidate, more),
    };
    return lnExcessExcluded(later, margin) >= -Math.log(beta);
  };
  if (enough(0)) return 0;
  let [low, high] = [0, 64];
  while (!enough(high)) {
    [low, high] = [high, 2 * high];
    if (high > 1e7) return null;
  }
  while (high - low > Math.max(1, 0.005 * high)) {
    const middle = Math.round((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function lnStableAbove({ failures, total }: ArmCount, level: number): number {
  if (total === 0) return 0;
  const { a, b } = STABLE_PRIOR;
  const bet = lnBetaMixture({ successes: failures, total }, level, a, b, "above") + Math.log(STABLE_BET);
  const kept = Math.log(1 - STABLE_BET);
  const top = Math.max(bet, kept);
  return top + Math.log(Math.exp(bet - top) + Math.exp(kept - top));
}

function lnCandidateBelow({ failures, total }: ArmCount, rate: number): number {
  const { a, b } = CANDIDATE_PRIOR;
  return lnBetaMixture({ successes: failures, total }, rate, a, b, "below");
}

/** A level far above what stable shows: from there on the product only grows. */
function levelAbove({ failures, total }: ArmCount): number {
  const rate = (failures + 1) / (total + 2);
  return rate + 5 * Math.sqrt((rate * (1 - rate)) / (total + 2));
}

function grown(count: ArmCount, rate: number, more: number): ArmCount {
  return { failures: count.failures + rate * more, total: count.total + more };
}

/** Least value on [low, high]: a coarse search, denser near `low`, then golden sections between the best neighbours. */
function leastOn(at: (x: number) => number, low: number, high: number): number {
  const cells = 16;
  const points = Array.from({ length: cells + 1 }, (_, i) => low + (i / cells) ** 2 * (high - low));
  const values = points.map(at);
  const best = values.indexOf(Math.min(...values));
  let left = points[Math.max(0, best - 1)] ?? low;
  let right = points[Math.min(cells, best + 1)] ?? high;
  const golden = (Math.sqrt(5) - 1) / 2;
  let inner = right - golden * (right - left);
  let outer = left + golden * (right - left);
  let [atInner, atOuter] = [at(inner), at(outer)];
  let least = Math.min(...values, atInner, atOuter);
  for (let step = 0; step < 18; step++) {
    if (atInner < atOuter) {
      [right, outer, atOuter] = [outer, inner, atInner];
      inner = right - golden * (right - left);
      atInner = at(inner);
    } else {
      [left, inner, atInner] = [inner, outer, atOuter];
      outer = left + golden * (right - left);
      atOuter = at(outer);
    }
    least = Math.min(least, atInner, atOuter);
  }
  return least;
}
