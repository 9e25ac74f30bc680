import { clusterBootstrap, type Cluster } from "../stats/bootstrap.ts";
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
  alpha = ALPHA,
): Interval {
  const estimate = values.length === 0 ? 0 : mean(values.map(({ value }) => value));
  const interval = clusterBootstrap(clustersOf(values), { seed, alpha });
  if (interval === null) return { estimate, ci: bounds };
  return { estimate, ci: [Math.max(bounds[0], interval.low), Math.min(bounds[1], interval.high)] };
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
