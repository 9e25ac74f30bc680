import type { Reading, ReadingOutcome, TrafficGate } from "./gate.ts";
import type { MetricOptions } from "./options.ts";
import { trafficVerdict } from "./traffic-verdict.ts";

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

/**
 * A number from outside against its limits. Readings are points of a scraped series and not samples, so no error rate
 * is promised: only `failures` readings in a row beyond `stop` stop, only `passes` in a row within `promote` promote, and
 * a reading that is missing, stale, doubled or NaN interrupts both.
 * @source statistics.md "The decision rule" (the unit is never a scraped point) and (j)
 */
export const metricGate: TrafficGate<MetricOptions, State> = {
  kind: "traffic",
  name: "metric",
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
    const gate = `metric[${options.metric}]`;
    const samples = { stable: 0, candidate: state.readings };
    const base = { gate, samples, threshold: options.promote, alpha: null };
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
    if (metricGate.isHarmProven(state, options)) {
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
