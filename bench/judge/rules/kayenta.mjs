/**
 * Kayenta's NetflixACAJudge, as Spinnaker's canary stage runs it.
 *
 * - Every metric is a time series of both arms, one point a step. The canary is compared with a baseline of the same
 *   size that was started with it, not with production.
 * - A metric is High (Low) when the 98 % interval of the Mann-Whitney shift lies wholly outside the tolerance band
 *   ±0.25·|Hodges-Lehmann estimate|, the effect size (ratio of means) reaches `allowedIncrease` (default 1; skipped when a
 *   mean is 0) and the metric's direction allows it. The band is relative to the estimated SHIFT, not to the level: it
 *   asks for a quarter more certainty, and tolerates no difference whatever.
 * - `nanStrategy` remove drops missing points, replace makes them 0. A metric without points is Nodata; identical points
 *   are a Pass.
 * - A group's score is the percentage of Pass among its metrics with data; the summary is their weighted mean. A critical
 *   metric that is High or Low, or Nodata for half of the metrics, makes it 0.
 * - After every interval all points so far are judged (growing lookback). Below `marginal` the canary fails at once; the
 *   last interval must reach `pass`.
 *
 * @source https://spinnaker.io/docs/guides/user/canary/judge/ (steps 1-4, constants, automatic failures);
 * https://spinnaker.io/docs/guides/user/canary/best-practices/ (baseline, 50 points, 3 h in intervals of 1 h, 75 and 95);
 * https://spinnaker.io/docs/guides/user/canary/stage/ (interval, lookback)
 */
import { shiftInterval } from "./mann-whitney.mjs";
import { quantileOf } from "./metrics.mjs";

/**
 * @typedef {object} KayentaMetric
 * @property {"error-percent" | "p95-ms"} metric
 * @property {string} group
 * @property {"increase" | "decrease" | "either"} direction
 * @property {"remove" | "replace"} nanStrategy
 * @property {number} [allowedIncrease]
 * @property {boolean} [critical]
 * @property {boolean} [mustHaveData]
 *
 * @typedef {object} KayentaConfig
 * @property {number} stepS
 * @property {number} intervalS
 * @property {number} lifetimeS
 * @property {number} candidateShare 0..0.5; the baseline gets as much
 * @property {number} pass
 * @property {number} marginal
 * @property {readonly KayentaMetric[]} metrics
 * @property {Readonly<Record<string, number>>} groupWeights percent
 *
 * @typedef {object} Series
 * @property {readonly number[]} canary NaN where the step had no value
 * @property {readonly number[]} baseline
 *
 * @typedef {object} KayentaState
 * @property {KayentaConfig} config
 * @property {readonly Series[]} series one a metric
 * @property {number | null} score of the last interval
 * @property {import("../types.d.mts").Decision} decision
 *
 * @typedef {"Pass" | "High" | "Low" | "Nodata" | "NodataFailMetric"} Label
 */

const Z_98 = 2.3263478740408408;
const TOLERANCE = 0.25;
const NODATA_SHARE = 0.5;
/** The root finder behind the judge's interval stops within this of a root. */
const RESOLUTION = 1e-4;

/** @type {import("../types.d.mts").Rule<KayentaConfig, KayentaState>} */
export const kayenta = {
  name: "kayenta",
  sampleS: ({ stepS }) => stepS,
  start: (config) => ({
    config,
    series: config.metrics.map(() => ({ canary: [], baseline: [] })),
    score: null,
    decision: null,
  }),
  observe(state, sample) {
    const { config, decision } = state;
    if (decision !== null) return state;
    const series = config.metrics.map(({ metric }, index) => ({
      canary: [...state.series[index].canary, pointOf(metric, sample.candidate)],
      baseline: [...state.series[index].baseline, pointOf(metric, sample.stable)],
    }));
    if (sample.endS % config.intervalS !== 0) return { ...state, series };
    const score = scoreOf(config, series);
    const isLast = sample.endS >= config.lifetimeS;
    return { ...state, series, score, decision: decisionOf(config, score, isLast) };
  },
  decision: (state) => state.decision,
  shares: ({ config, decision }) => {
    const share = decision === null ? config.candidateShare : 0;
    return { stable: share, candidate: share };
  },
};

/**
 * What a score means: comparisons are inclusive, a marginal score lets all but the last interval go on.
 * @param {Pick<KayentaConfig, "pass" | "marginal">} thresholds
 * @param {number} score
 * @param {boolean} isLast
 * @returns {import("../types.d.mts").Decision}
 */
export function decisionOf({ pass, marginal }, score, isLast) {
  if (score < marginal) return "abort";
  if (!isLast) return null;
  return score >= pass ? "promote" : "abort";
}

/**
 * One step of one arm. Errors as percent of requests; a step without requests has no value.
 * @param {KayentaMetric["metric"]} metric
 * @param {import("../types.d.mts").ArmSample | null} arm
 */
function pointOf(metric, arm) {
  if (arm === null || arm.requests === 0) return Number.NaN;
  return metric === "p95-ms" ? quantileOf(arm.latenciesMs, 0.95) : (100 * arm.failures) / arm.requests;
}

/**
 * @param {KayentaMetric} metric
 * @param {Series} series
 * @returns {Label}
 */
export function classify(
  { direction, nanStrategy, allowedIncrease = 1, critical = false, mustHaveData = false },
  series,
) {
  const canary = withoutNaN(series.canary, nanStrategy);
  const baseline = withoutNaN(series.baseline, nanStrategy);
  if (canary.length === 0 || baseline.length === 0) {
    if (nanStrategy === "replace") return "Pass";
    return mustHaveData && !critical ? "NodataFailMetric" : "Nodata";
  }
  if (isSame(canary, baseline)) return "Pass";
  const { isAbove, isBelow } = compare(canary, baseline);
  const ratio = meanRatio(canary, baseline);
  if (direction !== "decrease" && isAbove && (Number.isNaN(ratio) || ratio >= allowedIncrease)) return "High";
  return direction !== "increase" && isBelow && (Number.isNaN(ratio) || ratio <= 1) ? "Low" : "Pass";
}

/**
 * Whether the interval lies outside the tolerance band. Two constants differ as they are (the judge adds noise of 1e-5
 * of their value). Ties at 0, as error rates have them, put several roots on one jump at 0, where the judge's own root
 * finder stops anywhere within its resolution and the comparison with the band is chance; here the test at 0 itself then
 * decides, which is what the interval stands for.
 */
function compare(canary, baseline) {
  if (canary.every((value) => value === canary[0]) && baseline.every((value) => value === baseline[0])) {
    return { isAbove: canary[0] > baseline[0], isBelow: canary[0] < baseline[0] };
  }
  const { lower, upper, estimate, zAtZero } = shiftInterval(canary, baseline, Z_98);
  const band = TOLERANCE * Math.abs(estimate);
  const isJump = (end) => Math.abs(end) < RESOLUTION && Math.abs(estimate) < RESOLUTION;
  return {
    isAbove: isJump(lower) ? zAtZero >= Z_98 : lower > band,
    isBelow: isJump(upper) ? zAtZero <= -Z_98 : upper < -band,
  };
}

function withoutNaN(values, nanStrategy) {
  if (nanStrategy === "replace") return values.map((value) => (Number.isNaN(value) ? 0 : value));
  return values.filter((value) => !Number.isNaN(value));
}

function isSame(a, b) {
  if (a.length !== b.length) return false;
  const [x, y] = [Float64Array.from(a).sort(), Float64Array.from(b).sort()];
  return x.every((value, index) => value === y[index]);
}

function meanRatio(canary, baseline) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [of, over] = [mean(canary), mean(baseline)];
  return of === 0 || over === 0 ? Number.NaN : of / over;
}

/**
 * Summary score 0..100 of one judgement.
 * @param {KayentaConfig} config
 * @param {readonly Series[]} series
 */
function scoreOf(config, series) {
  const labels = config.metrics.map((metric, index) => ({ metric, label: classify(metric, series[index]) }));
  return summaryScore(labels, config.groupWeights);
}

/**
 * @param {readonly { metric: Pick<KayentaMetric, "group" | "critical">, label: Label }[]} results
 * @param {Readonly<Record<string, number>>} groupWeights
 */
export function summaryScore(results, groupWeights) {
  const isCriticalFailure = results.some(({ metric, label }) => metric.critical === true && label !== "Pass");
  const nodata = results.filter(({ label }) => label === "Nodata").length;
  if (isCriticalFailure || nodata >= NODATA_SHARE * results.length) return 0;
  const groups = [...new Set(results.map(({ metric }) => metric.group))];
  const rest = groups.filter((group) => groupWeights[group] === undefined);
  const given = Object.values(groupWeights).reduce((sum, weight) => sum + weight, 0);
  return groups.reduce((sum, group) => {
    const judged = results.filter(({ metric, label }) => metric.group === group && label !== "Nodata");
    const passed = judged.filter(({ label }) => label === "Pass").length;
    const score = judged.length === 0 ? 100 : (100 * passed) / judged.length;
    return sum + (score * (groupWeights[group] ?? (100 - given) / rest.length)) / 100;
  }, 0);
}
