import { assert } from "../assert.ts";
import { type RandomStream, randomStream } from "./random.ts";
import { normalCdf, studentQuantile } from "./special.ts";

/** What is drawn together: the values of all questions on one gold section, say. At least one finite value. */
export interface Cluster {
  /** Stratum: clusters are redrawn within their topic, so each resample keeps the mix of topics. */
  readonly topic: string;
  readonly values: readonly number[];
}

export interface BootstrapPlan {
  /** Integer 0..2^32 - 1. The same seed and clusters give the same interval. */
  readonly seed: number;
  /** Chance of missing on both sides together; 0.1 makes each end a one-sided 95 % bound. */
  readonly alpha: number;
  /** Resamples, 2000 unless given. */
  readonly resamples?: number;
  /** The mean unless given. Gets all values of a resample, never an empty list. */
  readonly statistic?: (values: readonly number[]) => number;
}

export interface BootstrapInterval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  /** Standard deviation of the statistic over the resamples. */
  readonly standardError: number;
  readonly clusters: number;
}

/**
 * Percentile interval of a statistic by redrawing whole clusters within their topic. The ends are widened for few
 * clusters as a t interval is against a normal one. Topics with a single cluster are pooled, as redrawing one thing
 * shows no spread.
 * @returns null for fewer than two clusters: nothing to redraw is no interval, not a narrow one
 * @source B. Efron, R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13; clusters and strata: A.
 *   Davison, D. Hinkley, "Bootstrap Methods and their Application" (1997), section 3.8; expanded percentile: T.
 *   Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69 (2015) 371-386, section
 *   5.3
 */
export function clusterBootstrap(clusters: readonly Cluster[], plan: BootstrapPlan): BootstrapInterval | null {
  const { seed, alpha, resamples = 2000, statistic = mean } = plan;
  assert(alpha > 0 && alpha < 1, `alpha is strictly between 0 and 1: ${alpha}`);
  assert(Number.isInteger(resamples) && resamples >= 100, `at least 100 resamples are drawn: ${resamples}`);
  for (const { topic, values } of clusters)
    assert(values.length > 0 && values.every(Number.isFinite), `cluster of ${topic} needs finite values`);
  if (clusters.length < 2) return null;

  const strata = stratify(clusters);
  const next = randomStream(seed);
  const drawn = Array.from({ length: resamples }, () => statistic(redraw(strata, next)));
  const ascending = Float64Array.from(drawn).sort();
  const tail = expandedTail(alpha / 2, clusters.length);
  return {
    estimate: statistic(clusters.flatMap(({ values }) => values)),
    low: percentile(ascending, tail),
    high: percentile(ascending, 1 - tail),
    standardError: deviation(drawn),
    clusters: clusters.length,
  };
}

function stratify(clusters: readonly Cluster[]): readonly (readonly Cluster[])[] {
  const byTopic = new Map<string, Cluster[]>();
  for (const cluster of clusters) byTopic.set(cluster.topic, [...(byTopic.get(cluster.topic) ?? []), cluster]);
  const topics = [...byTopic.values()];
  const alone = topics.filter((stratum) => stratum.length === 1).flat();
  const strata = topics.filter((stratum) => stratum.length > 1);
  if (alone.length !== 1) return alone.length === 0 ? strata : [...strata, alone];
  // A single lonely cluster joins the smallest stratum; there is one, as there are two clusters at least.
  const [smallest, ...others] = [...strata].sort((a, b) => a.length - b.length);
  return [[...(smallest ?? []), ...alone], ...others];
}

function redraw(strata: readonly (readonly Cluster[])[], next: RandomStream): readonly number[] {
  const values: number[] = [];
  for (const stratum of strata)
    for (let i = 0; i < stratum.length; i++) {
      const cluster = stratum[Math.floor(next() * stratum.length)];
      if (cluster !== undefined) values.push(...cluster.values);
    }
  return values;
}

/** The tail that gives a normal interval the width of a t interval. */
function expandedTail(tail: number, count: number): number {
  return normalCdf(Math.sqrt(count / (count - 1)) * studentQuantile(tail, count - 1));
}

/** Linear interpolation between order statistics. */
function percentile(ascending: Float64Array, share: number): number {
  const at = share * (ascending.length - 1);
  const below = Math.floor(at);
  const low = ascending[below] ?? Number.NaN;
  const high = ascending[Math.min(below + 1, ascending.length - 1)] ?? Number.NaN;
  return low + (at - below) * (high - low);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}
