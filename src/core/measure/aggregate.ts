import { assert } from "../assert.ts";

/**
 * Arithmetic mean; the list is not empty. Taken as distances from the first value, so that equal values average to
 * exactly that value and no limit is missed by rounding.
 */
export function mean(values: readonly number[]): number {
  const [first] = values;
  assert(first !== undefined, "a mean needs values");
  return first + values.reduce((sum, value) => sum + (value - first), 0) / values.length;
}

/** Mean, or null for an empty list: no data is no number. */
export function meanOrNull(values: readonly number[]): number | null {
  return values.length === 0 ? null : mean(values);
}

/**
 * Quantile by linear interpolation between order statistics (rank share·(n-1)).
 * @source R. J. Hyndman, Y. Fan, The American Statistician 50 (1996) 361-365, type 7
 */
export function quantile(values: readonly number[], share: number): number {
  assert(values.length > 0 && share >= 0 && share <= 1, `a quantile needs values and a share 0..1: ${share}`);
  const ascending = Float64Array.from(values).sort();
  const at = share * (ascending.length - 1);
  const below = Math.floor(at);
  const low = ascending[below] as number;
  const high = ascending[Math.min(below + 1, ascending.length - 1)] as number;
  return low + (at - below) * (high - low);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Standard deviation of a sample; 0 for fewer than two values. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/** Share of values that hold; 0 for an empty list. */
export function share<T>(values: readonly T[], holds: (value: T) => boolean): number {
  return values.length === 0 ? 0 : values.filter(holds).length / values.length;
}
