import { assert } from "../assert.ts";
import type { RatePrior } from "./bernoulli-e-process.ts";
import { divergence } from "./binomial.ts";
import { type ArmCount, addCounts, assertCounts, type CountBlock, NO_COUNTS } from "./count-block.ts";
import { lnSumExp } from "./special.ts";

/**
 * Evidence, block by block, that the candidate fails less than a margin more often than stable; plain JSON. It does
 * what `lnExcessExcluded` does with totals, but compares the arms only within one block, so a common level that drifts
 * while the share changes cannot mislead it. Several margins are followed at once.
 */
export interface ExcessEProcess {
  readonly prior: RatePrior;
  /** Shares in ascending order: 0.02 is 2 points. */
  readonly margins: readonly number[];
  /** For each margin the capital of each bet as a logarithm, in the order of `BETS`. */
  readonly logBets: readonly (readonly number[])[];
  readonly stable: ArmCount;
  readonly candidate: ArmCount;
}

/** From a tenth of a point to half of everything; holds every margin of the default policy. */
const MARGINS: readonly number[] = [
  0.001, 0.0015, 0.002, 0.0025, 0.003, 0.004, 0.005, 0.006, 0.0075, 0.01, 0.0125, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05,
  0.075, 0.1, 0.15, 0.2, 0.3, 0.5,
];

/** The candidate fails as often as stable, or as often as it did so far. */
const BETS = [
  { kind: "as-stable", share: 0.7 },
  { kind: "learnt", share: 0.3 },
] as const;

/** A learnt candidate rate starts as stable's, with this many requests. */
const LEARNT_WEIGHT = 200;

/** An e-process without evidence. `prior` is what stable's rate is taken for before data, and costs power only. */
export function startExcess(
  options: { readonly margins?: readonly number[]; readonly prior?: RatePrior } = {},
): ExcessEProcess {
  const { margins = MARGINS, prior = { rate: 0.005, weight: 200 } } = options;
  const ascending = margins.every((margin, i) => margin > (margins[i - 1] ?? 0) && margin < 1);
  assert(margins.length > 0 && ascending, `margins ascend strictly between 0 and 1: ${margins.join(", ")}`);
  assert(
    prior.rate > 0 && prior.rate < 1 && prior.weight > 0,
    `a prior is a rate in 0..1 and a weight > 0: ${prior.rate}`,
  );
  const logBets = margins.map(() => BETS.map(({ share }) => Math.log(share)));
  return { prior, margins, logBets, ...NO_COUNTS };
}

/**
 * The state after one more block. Null hypothesis of a margin m: in every block, given the past and the two totals, the
 * candidate's rate is at least m above stable's; the level may change from block to block at will.
 *
 * A block multiplies the capital by the likelihood of the bet over that of the nearest point (q + m, q) of the null,
 * nearest in relative entropy. The logarithm of its expectation is concave along the boundary of the null with its
 * maximum 0 at q, and falls inside, so each bet is a test supermartingale.
 * @source R. Turner, P. Grünwald, "Exact anytime-valid confidence intervals for contingency tables and beyond",
 * Statistics & Probability Letters 198 (2023): risk differences
 */
export function foldExcess(state: ExcessEProcess, block: CountBlock): ExcessEProcess {
  assertCounts(block);
  const { stable, candidate } = block;
  const totals = addCounts(state, block);
  if (stable.total === 0 || candidate.total === 0) return { ...state, ...totals };

  const rates = expectedRates(state);
  const logBets = state.margins.map((margin, index) =>
    BETS.map(({ kind }, bet) => {
      const expected = kind === "as-stable" ? rates.stable : rates.candidate;
      const candidateRate = Math.min(expected, rates.stable + 0.9 * margin, RATE_MAX);
      const level = nearestLevel(candidate.total, candidateRate, stable.total, rates.stable, margin);
      const capital = state.logBets[index]?.[bet] ?? Number.NEGATIVE_INFINITY;
      return capital + lnRatio(candidate, candidateRate, level + margin) + lnRatio(stable, rates.stable, level);
    }),
  );
  return { ...state, ...totals, logBets };
}

/** ln of the e-value against "at least `margin` worse", for one of the state's margins. */
export function lnExcess(state: ExcessEProcess, margin: number): number {
  const logBets = state.logBets[state.margins.indexOf(margin)];
  assert(logBets !== undefined, `margin ${margin} is not followed; followed are ${state.margins.join(", ")}`);
  return lnSumExp(logBets);
}

/** The smallest followed margin that is excluded at error rate `beta` with all above it; null when none is. */
export function excludedMargin(state: ExcessEProcess, beta: number): number | null {
  let smallest: number | null = null;
  for (const margin of [...state.margins].reverse()) {
    if (lnExcess(state, margin) < -Math.log(beta)) break;
    smallest = margin;
  }
  return smallest;
}

/**
 * About how many more candidate requests exclude `margin` at error rate `beta` if both arms go on as they did; 0 when
 * it is excluded already, null when the candidate is not expected inside the margin.
 */
export function requestsToMargin(
  state: ExcessEProcess,
  margin: number,
  beta: number,
  candidateShare: number,
): number | null {
  assert(candidateShare > 0 && candidateShare < 1, `a share is strictly between 0 and 1: ${candidateShare}`);
  const missing = -Math.log(beta) - lnExcess(state, margin);
  if (missing <= 0) return 0;
  const rates = expectedRates(state);
  if (rates.candidate >= rates.stable + 0.9 * margin) return null;
  const perCandidate = (1 - candidateShare) / candidateShare;
  const level = nearestLevel(1, rates.candidate, perCandidate, rates.stable, margin);
  const growth = divergence(rates.candidate, level + margin) + perCandidate * divergence(rates.stable, level);
  return Math.ceil(missing / growth);
}

const RATE_MIN = 1e-6;
const RATE_MAX = 0.999;

/** What both arms are expected to do next, from earlier blocks only. */
function expectedRates({ stable, candidate, prior }: ExcessEProcess): {
  readonly stable: number;
  readonly candidate: number;
} {
  const clamp = (rate: number): number => Math.min(RATE_MAX, Math.max(RATE_MIN, rate));
  const stableRate = clamp((stable.failures + prior.rate * prior.weight) / (stable.total + prior.weight));
  const learnt = (candidate.failures + LEARNT_WEIGHT * stableRate) / (candidate.total + LEARNT_WEIGHT);
  return { stable: stableRate, candidate: clamp(learnt) };
}

/** The level q at which (q + margin, q) is nearest to the expected rates: a root of a falling-to-rising slope. */
function nearestLevel(
  candidates: number,
  candidateRate: number,
  stables: number,
  stableRate: number,
  margin: number,
): number {
  let [low, high] = [Math.max(0, candidateRate - margin), Math.min(stableRate, 1 - margin)];
  for (let step = 0; step < 32; step++) {
    const q = (low + high) / 2;
    const p = q + margin;
    // Multiplied by both variances, so that no end of the interval divides by zero.
    const slope = candidates * (p - candidateRate) * q * (1 - q) + stables * (q - stableRate) * p * (1 - p);
    if (slope > 0) high = q;
    else low = q;
  }
  return Math.max(1e-12, (low + high) / 2);
}

function lnRatio({ failures, total }: ArmCount, rate: number, nullRate: number): number {
  const failing = failures === 0 ? 0 : failures * Math.log(rate / nullRate);
  return failing + (total - failures) * (Math.log1p(-rate) - Math.log1p(-Math.min(nullRate, 1 - 1e-12)));
}
