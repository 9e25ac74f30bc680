import type { Reading, ReadingOutcome } from "../block.ts";
import { defineGate, type TrafficPart } from "../definition.ts";
import { choice, type NumberForm, number, numberOrNone, type OptionsOf, text } from "../fields.ts";
import { trafficVerdict } from "../traffic/traffic-verdict.ts";

const NAME = "metric";
const LIMIT: NumberForm = { kind: "number", least: -1e12, most: 1e12 };
const IN_A_ROW: NumberForm = { kind: "number", least: 1, most: 1_000, isWhole: true };

const OPTIONS = {
  metric: text({ kind: "name", of: "metrics" }, { says: "the metric's name in `spec.metrics`" }),
  comparison: choice(["absolute", "difference", "ratio"], {
    says: "what is compared with the limits: the candidate's number, or its difference or ratio to stable's",
    fallback: "absolute",
  }),
  better: choice(["lower", "higher"], {
    says: "whether a lower or a higher number is the better one",
    fallback: "lower",
  }),
  promote: number(LIMIT, { says: "the limit a reading has to keep before promotion" }),
  stop: numberOrNone(LIMIT, { says: "the limit beyond which readings stop; null: it only holds", fallback: null }),
  failures: number(IN_A_ROW, { says: "how many readings beyond `stop` in a row stop", fallback: 3 }),
  passes: number(IN_A_ROW, { says: "how many readings within `promote` in a row promote", fallback: 3 }),
};
type MetricOptions = OptionsOf<typeof OPTIONS>;

interface State {
  readonly readings: number;
  readonly last: ReadingOutcome | null;
  /** Readings beyond `stop`, and within `promote`, without an interruption up to now. */
  readonly beyond: number;
  readonly within: number;
}

/** The number that is compared with the limits, or why there is none. Infinity and NaN are no numbers to decide on. */
function outcomeOf({ candidate, stable }: Reading, { comparison }: MetricOptions): ReadingOutcome {
  if (candidate.kind !== "value") return candidate;
  if (comparison === "absolute") return finite(candidate.value);
  if (stable === null) return { kind: "error", reason: `a ${comparison} needs a query for stable` };
  if (stable.kind !== "value") return { kind: stable.kind, reason: `stable: ${stable.reason}` };
  if (comparison === "difference") return finite(candidate.value - stable.value);
  // Nothing on either arm is equality; something against nothing has no ratio, and is no reason to promote.
  if (stable.value === 0 && candidate.value === 0) return { kind: "value", value: 1 };
  if (stable.value === 0) return { kind: "error", reason: `stable reads 0, so ${candidate.value} has no ratio to it` };
  return finite(candidate.value / stable.value);
}

function finite(value: number): ReadingOutcome {
  return Number.isFinite(value)
    ? { kind: "value", value }
    : { kind: "error", reason: `read ${value}, which is no number` };
}

function isBeyond(value: number, limit: number | null, { better }: MetricOptions): boolean {
  if (limit === null) return false;
  return better === "lower" ? value > limit : value < limit;
}

const traffic: TrafficPart<MetricOptions, State> = {
  start: () => ({ readings: 0, last: null, beyond: 0, within: 0 }),
  fold: (state) => state,
  read(state, reading, options) {
    if (reading.metric !== options.metric) return state;
    const last = outcomeOf(reading, options);
    const readings = state.readings + 1;
    if (last.kind !== "value") return { readings, last, beyond: 0, within: 0 };
    const beyond = isBeyond(last.value, options.stop, options) ? state.beyond + 1 : 0;
    const within = isBeyond(last.value, options.promote, options) ? 0 : state.within + 1;
    return { readings, last, beyond, within };
  },
  isHarmProven: ({ beyond }, { stop, failures }) => stop !== null && beyond >= failures,
  decide(state, _stage, options) {
    const samples = { stable: 0, candidate: state.readings };
    const base = { gate: NAME, samples, threshold: options.promote, alpha: null };
    const { last } = state;
    if (last === null) {
      const reason = `${options.metric} has not been read yet`;
      return trafficVerdict(base, "no-data", { estimate: null, reason, needs: "a reading" });
    }
    if (last.kind !== "value") {
      const reason = `${options.metric}: ${last.reason}`;
      return trafficVerdict(base, last.kind, { estimate: null, reason, needs: "a reading that is one number" });
    }
    const { value: estimate } = last;
    const found = `${options.metric} reads ${Number(estimate.toPrecision(6))}`;
    if (traffic.isHarmProven(state, options)) {
      const reason = `${found}: beyond ${options.stop} ${state.beyond} times in a row`;
      return trafficVerdict({ ...base, threshold: options.stop }, "fail", { estimate, reason });
    }
    const bound = `${options.better === "lower" ? "at most" : "at least"} ${options.promote}`;
    if (state.within >= options.passes)
      return trafficVerdict(base, "pass", { estimate, reason: `${found}, ${bound} is wanted` });
    const reason = `${found}, ${bound} is wanted ${options.passes} times in a row, found ${state.within}`;
    return trafficVerdict(base, "inconclusive", { estimate, reason, needs: "more readings within the limit" });
  },
};

/**
 * A number from outside against its limits. Readings are points of a scraped series and not samples, so no error rate
 * is promised: only `failures` readings in a row beyond `stop` stop, only `passes` in a row within `promote` promote,
 * and a reading that is missing, stale, doubled or NaN interrupts both.
 * @source statistics.md "The decision rule" (the unit is never a scraped point) and (j)
 */
export const metric = defineGate({
  name: NAME,
  reads: "traffic",
  counts: "metrics",
  says: "Does a number from outside keep its limit?",
  unit: "a number from outside",
  from: "`spec.metrics`",
  options: OPTIONS,
  instanceBy: "metric",
  asks: "a metric gate needs metric (its name in spec.metrics) and promote (its limit)",
  conditions: {
    metric: { means: "moved a metric beyond its limit", lookAt: "that metric, around the time of the verdict" },
  },
  mayStop: ({ stop }) => stop !== null,
  needs: ({ passes, failures }, _stage, { readingEveryMs = 0 }) => ({
    needsSamples: 0,
    leastS: (passes * readingEveryMs) / 1_000,
    detectable: `${failures} readings in a row beyond the limit`,
  }),
  traffic,
});
