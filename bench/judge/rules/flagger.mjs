/**
 * Flagger's canary analysis.
 *
 * - The weight starts at the first step and is checked once an interval. A check asks every metric of the candidate over
 *   the last window; one value outside its range, or no value at all ("halt advancement, no values found"), fails it.
 * - A failed check adds one to `failedChecks` and leaves the weight where it is. The counter is never reset during an
 *   analysis: failures need not follow each other.
 * - Whether `failedChecks` has reached `threshold` is asked before the next check, so the rollback comes one interval
 *   after the failure that filled the counter.
 * - A good check raises the weight by `stepWeight` until `maxWeight`; a good check at `maxWeight` promotes.
 *
 * @source https://docs.flagger.app/usage/deployment-strategies "Canary Release" (stages, counter, threshold);
 * https://docs.flagger.app/usage/how-it-works "Canary analysis" (interval, threshold, maxWeight, stepWeight);
 * https://docs.flagger.app/usage/metrics and https://docs.flagger.app/faq "Metrics" (success rate, P99 duration);
 * the order of the two questions: github.com/fluxcd/flagger pkg/controller/scheduler.go, `advanceCanary`
 */
import { metricOf } from "./metrics.mjs";

/**
 * @typedef {object} Check
 * @property {import("../types.d.mts").MetricName} metric
 * @property {number} [min] lowest accepted value
 * @property {number} [max] highest accepted value
 *
 * @typedef {object} FlaggerConfig
 * @property {number} intervalS schedule and metric window
 * @property {number} threshold failed checks before rollback
 * @property {number} stepWeight percent
 * @property {number} maxWeight percent
 * @property {readonly Check[]} metrics
 *
 * @typedef {object} FlaggerState
 * @property {FlaggerConfig} config
 * @property {number} weight percent
 * @property {number} failedChecks
 * @property {import("../types.d.mts").Decision} decision
 */

/** @type {import("../types.d.mts").Rule<FlaggerConfig, FlaggerState>} */
export const flagger = {
  name: "flagger",
  sampleS: ({ intervalS }) => intervalS,
  start: (config) => ({ config, weight: config.stepWeight, failedChecks: 0, decision: null }),
  observe(state, sample) {
    const { config, weight, failedChecks, decision } = state;
    if (decision !== null) return state;
    if (failedChecks >= config.threshold) return { ...state, weight: 0, decision: "abort" };
    if (!config.metrics.every((check) => isInRange(check, sample))) return { ...state, failedChecks: failedChecks + 1 };
    if (weight >= config.maxWeight) return { ...state, decision: "promote" };
    return { ...state, weight: Math.min(100, weight + config.stepWeight) };
  },
  decision: (state) => state.decision,
  shares: ({ weight }) => ({ stable: 1 - weight / 100, candidate: weight / 100 }),
};

/**
 * @param {Check} check
 * @param {import("../types.d.mts").IntervalSample} sample
 */
function isInRange({ metric, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }, sample) {
  const value = metricOf(metric, sample);
  return value !== null && value >= min && value <= max;
}
