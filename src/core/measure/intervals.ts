import { clusterBootstrap, type Cluster } from "../stats/bootstrap.ts";
import { studentQuantile } from "../stats/special.ts";
import { mean } from "./aggregate.ts";
import type { Interval } from "./report.ts";

/** Two-sided, so that each end is a one-sided 95 % bound. */
export const ALPHA = 0.1;

/** A value of one question, and what it is redrawn with. */
export interface QuestionValue {
  readonly topic: string;
  readonly cluster: string;
  readonly value: number;
}

/**
 * Mean over questions with its interval by the cluster bootstrap over gold sections, stratified by topic.
 * @param bounds the range of the value: the interval when there is too little to redraw, and its outer limits
 * @source statistics.md "Probe sets"
 */
export function meanInterval(
  values: readonly QuestionValue[],
  bounds: readonly [low: number, high: number],
  seed: number,
): Interval {
  const estimate = values.length === 0 ? 0 : mean(values.map(({ value }) => value));
  const interval = clusterBootstrap(clustersOf(values), { seed, alpha: ALPHA });
  if (interval === null) return { estimate, ci: bounds };
  return { estimate, ci: [Math.max(bounds[0], interval.low), Math.min(bounds[1], interval.high)] };
}

/**
 * Mean over questions with a t interval whose error is taken over gold sections. For few questions and small error
 * rates: redrawing ten questions cannot show the far tail that a rate shared between many topics asks for.
 * @param bounds the range of the value: the interval of fewer than two sections, and its outer limits
 * @source statistics.md "Probe sets", "small n: expanded percentile or t"; error over clusters: C. Cameron, D. Miller,
 *   "A practitioner's guide to cluster-robust inference", Journal of Human Resources 50 (2015), equation 11
 */
export function fewInterval(
  values: readonly QuestionValue[],
  bounds: readonly [low: number, high: number],
  alpha: number,
): Interval {
  const estimate = values.length === 0 ? 0 : mean(values.map(({ value }) => value));
  const clusters = clustersOf(values);
  if (clusters.length < 2) return { estimate, ci: bounds };
  const squares = clusters.reduce((sum, cluster) => {
    return sum + cluster.values.reduce((excess, value) => excess + value - estimate, 0) ** 2;
  }, 0);
  const error = Math.sqrt((squares * clusters.length) / (clusters.length - 1)) / values.length;
  const reach = -studentQuantile(alpha / 2, clusters.length - 1) * error;
  return { estimate, ci: [Math.max(bounds[0], estimate - reach), Math.min(bounds[1], estimate + reach)] };
}

function clustersOf(values: readonly QuestionValue[]): readonly Cluster[] {
  const clusters = new Map<string, { topic: string; values: number[] }>();
  for (const { topic, cluster, value } of values) {
    const key = `${topic}\u0000${cluster}`;
    const known = clusters.get(key);
    if (known === undefined) clusters.set(key, { topic, values: [value] });
    else known.values.push(value);
  }
  return [...clusters.values()];
}
