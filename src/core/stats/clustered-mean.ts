import { assert } from "../assert.ts";

/** Sums over clusters, each with a weight and the weighted sum of what it showed; plain JSON, O(1) per cluster. */
export interface ClusterSums {
  readonly clusters: number;
  readonly weights: number;
  readonly values: number;
  readonly weightSquares: number;
  readonly products: number;
  readonly valueSquares: number;
}

export const NO_CLUSTERS: ClusterSums = {
  clusters: 0,
  weights: 0,
  values: 0,
  weightSquares: 0,
  products: 0,
  valueSquares: 0,
};

/** One more cluster: `value` is the sum over `weight` answers. */
export function addCluster(sums: ClusterSums, weight: number, value: number): ClusterSums {
  assert(weight > 0 && Number.isFinite(value), `a cluster has a weight and a finite value: ${weight}, ${value}`);
  return {
    clusters: sums.clusters + 1,
    weights: sums.weights + weight,
    values: sums.values + value,
    weightSquares: sums.weightSquares + weight * weight,
    products: sums.products + weight * value,
    valueSquares: sums.valueSquares + value * value,
  };
}

/**
 * Mean of a weighted value and its variance over clusters; null without any.
 * @source W. G. Cochran, "Sampling Techniques" (3rd ed. 1977) §6.4, variance of a ratio over clusters
 */
export function clusteredMean(sums: ClusterSums): { readonly mean: number; readonly variance: number } | null {
  const { clusters, weights, values, weightSquares, products, valueSquares } = sums;
  if (weights === 0) return null;
  const mean = values / weights;
  // The sum of (value − weight · mean)², from one pass over the clusters.
  const squares = Math.max(0, valueSquares - 2 * mean * products + mean * mean * weightSquares);
  const correction = clusters > 1 ? clusters / (clusters - 1) : 1;
  return { mean, variance: (correction * squares) / (weights * weights) };
}
