import { defineGate, type TrafficPart } from "../definition.ts";
import type { Needs } from "../needs.ts";
import { milliseconds, numberOrNone, type OptionsOf } from "../fields.ts";
import { trafficVerdict } from "./traffic-verdict.ts";

const NAME = "peak-hour";
const MINUTE_MS = 60_000;

const OPTIONS = {
  requestsPerSecond: numberOrNone(
    { kind: "number", least: 0, most: 10_000_000, isOpen: "least" },
    {
      says: "the request rate from which an hour is a peak hour; null: learnt, p90 of the last 7 days' hourly rates",
      fallback: null,
    },
  ),
  lengthMs: milliseconds({ says: "how long in ms the peak has to last", fallback: 60 * MINUTE_MS, stricter: "higher" }),
};
type Options = OptionsOf<typeof OPTIONS>;

interface State {
  /** Requests of each minute since the gate began to count, by minute number, newest last. */
  readonly minutes: readonly { readonly minute: number; readonly requests: number }[];
  /** The busiest stretch so far, in requests per second. */
  readonly busiest: number;
  readonly requests: { readonly stable: number; readonly candidate: number };
}

const traffic: TrafficPart<Options, State> = {
  start: () => ({ minutes: [], busiest: 0, requests: { stable: 0, candidate: 0 } }),
  fold(state, { arms, endMs }, { lengthMs }) {
    const requests = {
      stable: state.requests.stable + arms.stable.requestsAll,
      candidate: state.requests.candidate + arms.candidate.requestsAll,
    };
    // The candidate has to be there: an hour before its first request proves nothing about it.
    if (requests.candidate === 0) return { ...state, requests };
    const minute = Math.floor((endMs - 1) / MINUTE_MS);
    const count = arms.stable.requestsAll + arms.candidate.requestsAll;
    const length = Math.round(lengthMs / MINUTE_MS);
    const last = state.minutes[state.minutes.length - 1];
    if (last !== undefined && minute <= last.minute) {
      const minutes = state.minutes.map((entry) =>
        entry.minute === minute ? { minute, requests: entry.requests + count } : entry,
      );
      return { ...state, minutes, requests };
    }
    const kept = state.minutes.filter((entry) => entry.minute >= minute - length);
    const finished = kept.filter((entry) => entry.minute < minute);
    const isWhole = finished.length > 0 && (finished[0]?.minute ?? minute) === minute - length;
    const rate = finished.reduce((sum, entry) => sum + entry.requests, 0) / (length * 60);
    const busiest = isWhole ? Math.max(state.busiest, rate) : state.busiest;
    return { minutes: [...kept, { minute, requests: count }], busiest, requests };
  },
  isHarmProven: () => false,
  decide(state, _stage, { requestsPerSecond, lengthMs }) {
    const base = { gate: NAME, samples: state.requests, threshold: requestsPerSecond, alpha: null };
    const length = `${lengthMs / MINUTE_MS} minutes`;
    if (requestsPerSecond === null) {
      const reason = "what a peak hour is, is not known for this service";
      const needs = "requestsPerSecond of the gate peak-hour, or 7 days of traffic before the rollout";
      return trafficVerdict(base, "no-data", { estimate: null, reason, needs });
    }
    const estimate = state.busiest;
    const found = `the busiest ${length} with the candidate had ${estimate.toFixed(1)} requests a second`;
    if (estimate >= requestsPerSecond) return trafficVerdict(base, "pass", { estimate, reason: found });
    const reason = `${found}, a peak has ${requestsPerSecond}`;
    return trafficVerdict(base, "inconclusive", { estimate, reason, needs: `${length} of peak traffic` });
  },
};

function needs({ requestsPerSecond, lengthMs }: Options): Needs {
  const detectable = `waits for ${lengthMs / MINUTE_MS} minutes of peak traffic`;
  if (requestsPerSecond !== null) return { needsSamples: 0, leastS: lengthMs / 1_000, detectable };
  const fix = "requestsPerSecond of the gate peak-hour, or a controller that has seen the service for 7 days";
  return { needsSamples: null, detectable, never: "the document does not say what a peak hour is", fix };
}

/**
 * Passes once the candidate has taken part in a peak hour: consecutive minutes of `lengthMs` whose request rate, both
 * arms together, is at least that of a peak. Time off the peak does not count, however long it is.
 * @source definitions.md §8 "Peak hour"; requirements.md ST-8, CO-12
 */
export const peakHour = defineGate({
  name: NAME,
  reads: "traffic",
  counts: "requests",
  says: "Has the candidate taken part in a peak hour?",
  unit: "requests per second",
  from: "gateway",
  options: OPTIONS,
  conditions: { peak_hour: { means: "has not been through a peak hour", lookAt: "when the next peak is" } },
  mayStop: () => false,
  learn: (options, { peakRequestsPerSecond }) =>
    options.requestsPerSecond === null ? { ...options, requestsPerSecond: peakRequestsPerSecond } : null,
  needs,
  traffic,
});
