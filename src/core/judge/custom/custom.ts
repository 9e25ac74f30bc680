import type { Bp } from "../../unit.ts";
import { mergeArmWindows } from "../../window/merge.ts";
import { countBins, quantileOf } from "../../window/sketch.ts";
import { type ArmWindow, COUNTERS, EMPTY_ARM_WINDOW, GAUGES } from "../../window/window.ts";
import type { ReadingOutcome, StageView } from "../block.ts";
import { defineGate, type TrafficPart } from "../definition.ts";
import { minSamples, type OptionsOf, text, textOrNone } from "../fields.ts";
import { askRule, checkRule, type RuleAnswer, type RuleView, ruleName } from "./expression.ts";
import { serverErrors } from "../share/share-measure.ts";
import { isAlone, tallyPlace } from "../traffic/stage-tally.ts";
import { trafficVerdict } from "../traffic/traffic-verdict.ts";

const NAME = "custom";

const OPTIONS = {
  pass: text(
    { kind: "rule", problems: (rule) => checkRule(rule, "pass") },
    { says: "the rule that must be true to leave a stage" },
  ),
  fail: textOrNone(
    { kind: "rule", problems: (rule) => checkRule(rule, "fail") },
    { says: "the rule that stops when it is true; null: it only holds", fallback: null },
  ),
  minSamples: minSamples("the least candidate requests of the stage before either is asked", 100),
};
type CustomOptions = OptionsOf<typeof OPTIONS>;

interface State {
  /** Traffic at the share in force. */
  readonly candidateBp: Bp | null;
  readonly stable: ArmWindow;
  readonly candidate: ArmWindow;
  /** The last reading of each metric, by arm. */
  readonly metrics: Readonly<Record<string, Readonly<Record<string, ReadingOutcome>>>>;
}

/**
 * The numbers of one arm that were measured: one that served nobody has no counts, not even 0, because no loop of a
 * tool in no request says nothing of the arm.
 */
function numbersOf(arm: ArmWindow): Readonly<Record<string, number>> {
  const numbers: Record<string, number> = {};
  if (arm.requests > 0) {
    numbers["requests"] = arm.requests;
    numbers["failures"] = arm.failures;
    numbers["error_rate"] = arm.failures / arm.requests;
    numbers["five_xx_rate"] = serverErrors(arm).failures / arm.requests;
    for (const name of COUNTERS) {
      const count = arm.counters[name];
      if (count !== undefined) numbers[ruleName(name)] = count;
    }
  }
  const [median, p95] = [quantileOf(arm.warm, 0.5), quantileOf(arm.warm, 0.95)];
  if (median !== null) numbers["p50_ms"] = median;
  if (p95 !== null) numbers["p95_ms"] = p95;
  const [cold, warm] = [countBins(arm.cold), countBins(arm.warm)];
  if (cold + warm > 0) numbers["cold_share"] = cold / (cold + warm);
  for (const name of GAUGES) {
    const gauge = arm.gauges[name];
    if (gauge !== undefined) numbers[ruleName(name)] = gauge.sum / gauge.readings;
  }
  return numbers;
}

function viewOf(state: State, stage: StageView | null): RuleView {
  const metrics = Object.entries(state.metrics).map(([name, byArm]) => {
    const values = Object.entries(byArm).flatMap(([arm, outcome]) =>
      outcome.kind === "value" && Number.isFinite(outcome.value) ? [[arm, outcome.value] as const] : [],
    );
    return [name, Object.fromEntries(values)] as const;
  });
  return {
    stable: numbersOf(state.stable),
    candidate: numbersOf(state.candidate),
    metrics: Object.fromEntries(metrics),
    ...(stage === null ? {} : { stage: { share_percent: stage.candidateBp / 100, held_s: stage.heldMs / 1_000 } }),
  };
}

/** A stop rule reads traffic and metrics alone: a fuse may be asked at any moment and knows no stage. */
function askStop(state: State, { fail, minSamples }: CustomOptions): RuleAnswer {
  if (fail === null || state.candidate.requests < minSamples) return { kind: "value", value: false };
  return askRule(fail, viewOf(state, null));
}

function hasFailed(state: State, options: CustomOptions): boolean {
  const answer = askStop(state, options);
  return answer.kind === "value" && answer.value;
}

const traffic: TrafficPart<CustomOptions, State> = {
  start: () => ({ candidateBp: null, stable: EMPTY_ARM_WINDOW, candidate: EMPTY_ARM_WINDOW, metrics: {} }),
  fold(state, block) {
    const place = tallyPlace(state.candidateBp, block);
    if (place === "late") return state;
    const { arms, candidateBp } = block;
    // At 100 % the candidate goes on beside what stable last showed, so that a stop rule still watches it.
    const before =
      place === "same" || isAlone(block) ? state : { stable: EMPTY_ARM_WINDOW, candidate: EMPTY_ARM_WINDOW };
    return {
      candidateBp,
      stable: mergeArmWindows(before.stable, arms.stable),
      candidate: mergeArmWindows(before.candidate, arms.candidate),
      metrics: state.metrics,
    };
  },
  read(state, { metric, candidate, stable }) {
    const byArm = stable === null ? { candidate } : { candidate, stable };
    return { ...state, metrics: { ...state.metrics, [metric]: byArm } };
  },
  isHarmProven: hasFailed,
  decide(state, stage, options) {
    const samples = { stable: state.stable.requests, candidate: state.candidate.requests };
    const base = { gate: NAME, samples, threshold: null, alpha: null };
    if (samples.candidate < options.minSamples) {
      const missing = options.minSamples - samples.candidate;
      const kind = samples.candidate === 0 ? "no-data" : "inconclusive";
      const reason = `${samples.candidate} candidate requests at this share: too few to ask the rule`;
      return trafficVerdict(base, kind, { estimate: null, reason, needs: `${missing} more candidate requests` });
    }
    if (hasFailed(state, options))
      return trafficVerdict(base, "fail", { estimate: null, reason: `the stop rule is true: ${options.fail}` });
    // A stop rule that cannot be answered holds like a pass rule: nobody watches what it was written for.
    const stop = askStop(state, options);
    const answer = stop.kind === "value" ? askRule(options.pass, viewOf(state, stage)) : stop;
    if (answer.kind !== "value")
      return trafficVerdict(base, answer.kind, {
        estimate: null,
        reason: answer.reason,
        needs: "what the rule asks for",
      });
    if (answer.value)
      return trafficVerdict(base, "pass", { estimate: null, reason: `the rule is true: ${options.pass}` });
    const reason = `the rule is not true: ${options.pass}`;
    return trafficVerdict(base, "inconclusive", { estimate: null, reason, needs: "the rule to become true" });
  },
};

/**
 * A rule of the user's own over the traffic of the stage. What it asks for and nobody measured is no data; a rule that
 * cannot be answered is an error; neither promotes nor rolls back.
 * @source requirements.md §2.1 (2); the language: https://github.com/google/cel-spec
 */
export const custom = defineGate({
  name: NAME,
  reads: "traffic",
  counts: "requests",
  says: "Is a rule of this rollout's own true?",
  unit: "a rule in CEL",
  from: "all of the above",
  options: OPTIONS,
  instanceBy: "name",
  asks: "a custom gate needs a rule `pass`",
  conditions: { custom: { means: "broke a rule of this rollout", lookAt: "the rule and the numbers it reads" } },
  mayStop: ({ fail }) => fail !== null,
  needs: ({ minSamples: needsSamples }) => ({ needsSamples, detectable: "what its rules say" }),
  traffic,
});
