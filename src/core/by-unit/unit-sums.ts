import type { ClusterSums } from "../stats/clustered-mean.ts";

/**
 * What the units of one arm add up to, each weighed by its chances up to 20. Kept as units change, because a rate over
 * thousands of them is asked for at each tick.
 */
export type UnitSums = { -readonly [Key in keyof ClusterSums]: number } & {
  /** Units that had the event. */
  failing: number;
};

/** Requests beyond this add no weight to a unit: the rates of a busy and a usual user then count alike. */
const WEIGHT_MAX = 20;

export function noUnits(): UnitSums {
  return { clusters: 0, failing: 0, weights: 0, weightSquares: 0, values: 0, products: 0, valueSquares: 0 };
}

/** Adds one unit, or takes away what it was before. */
export function addUnit(sums: UnitSums, chances: number, events: number, sign: 1 | -1): void {
  const weight = Math.min(chances, WEIGHT_MAX);
  sums.clusters += sign;
  sums.weights += sign * weight;
  sums.weightSquares += sign * weight * weight;
  if (events === 0) return;
  const weighed = (weight * events) / chances;
  sums.failing += sign;
  sums.values += sign * weighed;
  sums.products += sign * weight * weighed;
  sums.valueSquares += sign * weighed * weighed;
  // Fractions taken away leave the last digits of others behind; without a unit that failed the rate is nothing at all.
  if (sums.failing === 0) sums.values = sums.products = sums.valueSquares = 0;
}
