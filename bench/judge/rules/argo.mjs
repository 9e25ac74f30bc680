/**
 * Argo Rollouts: canary steps with a background AnalysisRun, and analysis as a step.
 *
 * - A measurement is Successful, Failed, Inconclusive or Error. With a success condition alone, whatever does not meet it
 *   is Failed, NaN included; with a failure condition alone, whatever does not meet it is Successful; with both, a value
 *   that meets neither is Inconclusive, NaN included.
 * - An empty result makes `result[0]` an Error, unless the condition handles it (`len(result) == 0 ||` or `> 0 &&`), or
 *   `default()` puts a value in its place.
 * - A metric is Failed when MORE than `failureLimit` (default 0) measurements failed, Inconclusive beyond
 *   `inconclusiveLimit` (default 0), Error beyond `consecutiveErrorLimit` (default 4) errors in a row. Counts are totals,
 *   errors excepted. An Error is not counted towards `count`.
 * - A Failed or Error run aborts the rollout; an Inconclusive one pauses it for a person.
 * - Background analysis runs beside the steps from `startingStep` until they are done, then it is stopped. An analysis
 *   step blocks until its `count` measurements are taken (one, without `count`).
 *
 * The docs' sentence that three failures with `failureLimit: 3` fail the run is older than the rule; the field's own
 * description and the controller say more than three.
 *
 * @source https://argo-rollouts.readthedocs.io/en/stable/features/analysis/ ("Background Analysis", "Inline Analysis",
 * "Failure Conditions and Failure Limit", "Inconclusive Runs", "Delay Analysis Runs", "Handling Metric Results");
 * limits: github.com/argoproj/argo-rollouts analysis/analysis.go, `assessMetricStatus`
 */
import { metricOf } from "./metrics.mjs";

/**
 * @typedef {object} Metric
 * @property {import("../types.d.mts").MetricName} metric
 * @property {(value: number) => boolean} [success]
 * @property {(value: number) => boolean} [failure]
 * @property {"error" | "success" | "failed"} [whenEmpty] what the condition makes of an empty result; `result[0]` is "error"
 * @property {number} [default] value that `default(result, …)` puts in the place of an empty result
 * @property {number} [initialDelayS]
 * @property {number} [count]
 * @property {number} [failureLimit]
 * @property {number} [inconclusiveLimit]
 * @property {number} [consecutiveErrorLimit]
 *
 * @typedef {{ readonly setWeight: number } | { readonly pauseS: number } | { readonly analysis: readonly Metric[] }} Step
 *
 * @typedef {object} ArgoConfig
 * @property {number} intervalS interval of the measurements and window of their queries
 * @property {readonly Step[]} steps
 * @property {readonly Metric[]} background metrics of the background analysis; empty for none
 * @property {number} startingStep index of the step at which the background analysis starts
 *
 * @typedef {object} Counts
 * @property {number} taken successful, failed and inconclusive measurements
 * @property {number} failed
 * @property {number} inconclusive
 * @property {number} consecutiveErrors
 *
 * @typedef {object} ArgoState
 * @property {ArgoConfig} config
 * @property {number} atS
 * @property {number} stepIndex
 * @property {number} stepStartS
 * @property {number} weight percent
 * @property {{ startS: number, counts: readonly Counts[] } | null} background
 * @property {readonly Counts[]} inline
 * @property {import("../types.d.mts").Decision} decision
 *
 * @typedef {"running" | "successful" | "inconclusive" | "error" | "failed"} Phase worst last
 */

const NO_COUNTS = { taken: 0, failed: 0, inconclusive: 0, consecutiveErrors: 0 };
const CONSECUTIVE_ERROR_LIMIT = 4;

/** @type {import("../types.d.mts").Rule<ArgoConfig, ArgoState>} */
export const argo = {
  name: "argo",
  sampleS: ({ intervalS }) => intervalS,
  start(config) {
    const state = {
      config,
      atS: 0,
      stepIndex: 0,
      stepStartS: 0,
      weight: 0,
      background: null,
      inline: [],
      decision: null,
    };
    return enterSteps(state);
  },
  observe(before, sample) {
    if (before.decision !== null) return before;
    // A pause that ends now lets the next step, and with it a background analysis, begin before this moment's measurement.
    const state = advance({ ...before, atS: sample.endS });
    const background = measureBackground(state, sample);
    const measured = measureInline({ ...state, background }, sample);
    const verdict = decide(measured);
    if (verdict !== null) return { ...measured, weight: verdict === "abort" ? 0 : measured.weight, decision: verdict };
    const next = advance(measured);
    return next.stepIndex < next.config.steps.length ? next : { ...next, decision: "promote" };
  },
  decision: (state) => state.decision,
  shares: ({ weight }) => ({ stable: 1 - weight / 100, candidate: weight / 100 }),
};

/**
 * Phase of one measurement.
 * @param {Metric} metric
 * @param {number | null} value null for an empty result
 * @returns {Exclude<Phase, "running">}
 */
export function measurementPhase({ success, failure, whenEmpty = "error", default: replacement }, value) {
  const measured = value ?? replacement ?? null;
  if (measured === null) return whenEmpty === "success" ? "successful" : whenEmpty;
  if (failure !== undefined && failure(measured)) return "failed";
  if (success === undefined) return failure === undefined ? "inconclusive" : "successful";
  if (success(measured)) return "successful";
  return failure === undefined ? "failed" : "inconclusive";
}

/**
 * @param {Metric} metric
 * @param {Counts} counts
 * @param {import("../types.d.mts").IntervalSample} sample
 * @returns {Counts}
 */
function measure(metric, counts, sample) {
  const phase = measurementPhase(metric, metricOf(metric.metric, sample));
  if (phase === "error") return { ...counts, consecutiveErrors: counts.consecutiveErrors + 1 };
  return {
    taken: counts.taken + 1,
    failed: counts.failed + Number(phase === "failed"),
    inconclusive: counts.inconclusive + Number(phase === "inconclusive"),
    consecutiveErrors: 0,
  };
}

/**
 * @param {Metric} metric
 * @param {Counts} counts
 * @returns {Phase}
 */
function phaseOf({ failureLimit = 0, inconclusiveLimit = 0, consecutiveErrorLimit, count }, counts) {
  if (counts.failed > failureLimit) return "failed";
  if (counts.inconclusive > inconclusiveLimit) return "inconclusive";
  if (counts.consecutiveErrors > (consecutiveErrorLimit ?? CONSECUTIVE_ERROR_LIMIT)) return "error";
  return count !== undefined && counts.taken >= count ? "successful" : "running";
}

/** @param {ArgoState} state @param {import("../types.d.mts").IntervalSample} sample */
function measureBackground({ background, config, atS }, sample) {
  if (background === null) return null;
  const counts = config.background.map((metric, index) => {
    const known = background.counts[index] ?? NO_COUNTS;
    const isDue = atS >= background.startS + (metric.initialDelayS ?? 0) && phaseOf(metric, known) === "running";
    return isDue ? measure(metric, known, sample) : known;
  });
  return { ...background, counts };
}

/** @param {ArgoState} state @param {import("../types.d.mts").IntervalSample} sample @returns {ArgoState} */
function measureInline(state, sample) {
  const step = state.config.steps[state.stepIndex];
  if (step === undefined || !("analysis" in step) || state.atS <= state.stepStartS) return state;
  return { ...state, inline: step.analysis.map((metric, i) => measure(metric, state.inline[i] ?? NO_COUNTS, sample)) };
}

/** @param {ArgoState} state @returns {import("../types.d.mts").Decision} */
function decide({ config, stepIndex, background, inline }) {
  const step = config.steps[stepIndex];
  const inlineMetrics = step !== undefined && "analysis" in step ? step.analysis : [];
  const phases = [
    ...(background?.counts ?? []).map((counts, i) => phaseOf(config.background[i], counts)),
    ...inline.map((counts, i) => phaseOf(withCount(inlineMetrics[i]), counts)),
  ];
  if (phases.some((phase) => phase === "failed" || phase === "error")) return "abort";
  return phases.includes("inconclusive") ? "hold" : null;
}

/** An analysis step without `count` takes one measurement. @param {Metric} metric @returns {Metric} */
function withCount(metric) {
  return { ...metric, count: metric.count ?? 1 };
}

/** Leaves the current step when it is done, then enters what follows. @param {ArgoState} state @returns {ArgoState} */
function advance(state) {
  const step = state.config.steps[state.stepIndex];
  if (step === undefined) return state;
  const isDone =
    "pauseS" in step
      ? state.atS - state.stepStartS >= step.pauseS
      : "analysis" in step && isMeasured(step.analysis, state.inline);
  if (!isDone) return state;
  return enterSteps({ ...state, stepIndex: state.stepIndex + 1, stepStartS: state.atS, inline: [] });
}

/** @param {readonly Metric[]} metrics @param {readonly Counts[]} counts */
function isMeasured(metrics, counts) {
  return metrics.every((metric, i) => phaseOf(withCount(metric), counts[i] ?? NO_COUNTS) === "successful");
}

/** Weights take effect at once; the first pause or analysis stops. @param {ArgoState} from @returns {ArgoState} */
function enterSteps(from) {
  let state = from;
  for (;;) {
    const { config, stepIndex, atS } = state;
    const isStarting = stepIndex >= config.startingStep && config.background.length > 0 && state.background === null;
    if (isStarting) state = { ...state, background: { startS: atS, counts: config.background.map(() => NO_COUNTS) } };
    const step = config.steps[stepIndex];
    if (step === undefined || !("setWeight" in step)) return state;
    state = { ...state, weight: step.setWeight, stepIndex: stepIndex + 1, stepStartS: atS };
  }
}
