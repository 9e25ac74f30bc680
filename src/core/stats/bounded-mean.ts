import { assert } from "../assert.ts";

/** The range the values cannot leave: 0..1 for a score, -1..1 for a paired difference of scores. */
interface Range {
  readonly low: number;
  readonly high: number;
}

export interface BoundedMeanPlan {
  readonly range: Range;
  readonly alpha: number;
  /** Sample size at which to be sharpest, for a set of known size; without it, sharp over a long open stream. */
  readonly planned?: number;
}

/**
 * Betting on a mean, as plain JSON: the sums that set the next bet. One stream serves every null mean.
 * Values must be fed in an order that does not depend on them (the order asked, not sorted by result).
 */
interface Bets {
  readonly count: number;
  readonly sum: number;
  readonly squares: number;
}

const NO_BETS: Bets = { count: 0, sum: 0, squares: 0 };
/** No bet risks more than this part of the capital. */
const RISK_MAX = 0.75;

/**
 * Confidence sequence of the mean of bounded values, valid at every size at once and for any distribution in the
 * range, by hedged betting. Order matters slightly; the whole range when there are no values.
 * @param values in the order asked, each within the range
 * @source I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86 (2024) 1-27:
 * the hedged capital process with predictable plug-in bets
 */
export function boundedMeanInterval(
  values: readonly number[],
  plan: BoundedMeanPlan,
): readonly [low: number, high: number] {
  const { range, alpha } = plan;
  const span = range.high - range.low;
  const unit = toUnit(values, range);
  const bets = plannedBets(unit, alpha, plan.planned);
  const goal = Math.log(2 / alpha);
  const lowExcluded = (mean: number): boolean => lnCapital(unit, bets, mean, "above") >= goal;
  const highExcluded = (mean: number): boolean => lnCapital(unit, bets, mean, "below") >= goal;
  const low = lastExcluded(lowExcluded, 0, 1);
  const high = lastExcluded(highExcluded, 1, 0);
  return [range.low + span * low, range.low + span * high];
}

/**
 * ln of the e-value that the mean of bounded values is `above` (or `below`) `nullMean`; anytime-valid.
 * For "the drop is more than 0.05" feed paired differences, range -1..1, null mean -0.05, side `below`.
 * @source as `boundedMeanInterval`, one side
 */
export function lnMeanBeyond(
  values: readonly number[],
  nullMean: number,
  side: "above" | "below",
  plan: BoundedMeanPlan,
): number {
  const { range, alpha, planned } = plan;
  assert(nullMean > range.low && nullMean < range.high, `a null mean is inside the range: ${nullMean}`);
  const unit = toUnit(values, range);
  const mean = (nullMean - range.low) / (range.high - range.low);
  return lnCapital(unit, plannedBets(unit, alpha, planned), mean, side);
}

function toUnit(values: readonly number[], { low, high }: Range): readonly number[] {
  assert(low < high, `a range ascends: ${low}..${high}`);
  return values.map((value) => {
    assert(value >= low && value <= high, `a value lies in ${low}..${high}: ${value}`);
    return (value - low) / (high - low);
  });
}

/** The size of each bet, from earlier values only. */
function plannedBets(unit: readonly number[], alpha: number, planned?: number): readonly number[] {
  assert(alpha > 0 && alpha < 1, `alpha is strictly between 0 and 1: ${alpha}`);
  let seen = NO_BETS;
  return unit.map((value, index) => {
    // A quarter is the largest variance a value in 0..1 can have: the start, before data.
    const variance = (0.25 + seen.squares) / (seen.count + 1);
    const time = planned ?? (index + 1) * Math.log(index + 2);
    const bet = Math.sqrt((2 * Math.log(2 / alpha)) / (variance * time));
    const sum = seen.sum + value;
    const mean = (0.5 + sum) / (seen.count + 2);
    seen = { count: seen.count + 1, sum, squares: seen.squares + (value - mean) ** 2 };
    return bet;
  });
}

/** ln of the capital won by betting that the mean is above (below) `mean`; falls (rises) as `mean` grows. */
function lnCapital(unit: readonly number[], bets: readonly number[], mean: number, side: "above" | "below"): number {
  const room = side === "above" ? mean : 1 - mean;
  const sign = side === "above" ? 1 : -1;
  return unit.reduce((sum, value, index) => {
    const bet = room > 0 ? Math.min(bets[index] ?? 0, RISK_MAX / room) : (bets[index] ?? 0);
    return sum + Math.log1p(sign * bet * (value - mean));
  }, 0);
}

/** Bisects for the edge of the excluded means between `from` (outermost) and `to`; `from` when it is not excluded. */
function lastExcluded(excluded: (mean: number) => boolean, from: number, to: number): number {
  const nudge = (to - from) * 1e-9;
  if (!excluded(from + nudge)) return from;
  let [outside, inside] = [from + nudge, to];
  for (let step = 0; step < 50; step++) {
    const middle = (outside + inside) / 2;
    if (excluded(middle)) outside = middle;
    else inside = middle;
  }
  return outside;
}
