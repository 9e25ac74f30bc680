import { defineGate, type TrafficPart } from "../definition.ts";
import { milliseconds, number, type OptionsOf, SHARE } from "../fields.ts";
import { serverErrors } from "../share/share-measure.ts";
import { percent, trafficVerdict } from "../traffic/traffic-verdict.ts";

const NAME = "five-xx-burst";

const OPTIONS = {
  limit: number(SHARE, {
    says: "the share of 5xx answers above which an interval of 5 s belongs to a burst",
    fallback: 0.05,
    stricter: "lower",
  }),
  longestMs: milliseconds({
    says: "the length in ms beyond which a burst stops the candidate",
    fallback: 60_000,
    stricter: "lower",
  }),
};
type Options = OptionsOf<typeof OPTIONS>;

/** Blocks are gathered to intervals of this length before one is called bad, so that one failed request is no burst. */
const INTERVAL_MS = 5_000;
/** Fewest requests of an interval that says anything; a quieter one neither lengthens nor ends a burst. */
const LEAST_REQUESTS = 5;

interface Interval {
  readonly endMs: number;
  readonly failures: number;
  readonly requests: number;
}

interface State {
  readonly current: Interval | null;
  /** When the burst that is going on began; null without one. */
  readonly sinceMs: number | null;
  readonly longestMs: number;
  readonly requests: { readonly stable: number; readonly candidate: number };
}

const traffic: TrafficPart<Options, State> = {
  start: () => ({ current: null, sinceMs: null, longestMs: 0, requests: { stable: 0, candidate: 0 } }),
  fold(state, block, { limit }) {
    const { stable, candidate } = block.arms;
    const requests = {
      stable: state.requests.stable + stable.requests,
      candidate: state.requests.candidate + candidate.requests,
    };
    const count = serverErrors(candidate);
    const current = state.current ?? { endMs: block.endMs - block.spanMs + INTERVAL_MS, failures: 0, requests: 0 };
    const failures = current.failures + count.failures;
    const total = current.requests + count.total;
    if (block.endMs < current.endMs) return { ...state, requests, current: { ...current, failures, requests: total } };
    const isQuiet = total < LEAST_REQUESTS;
    const isBad = !isQuiet && failures > limit * total;
    const sinceMs = isQuiet ? state.sinceMs : isBad ? (state.sinceMs ?? current.endMs - INTERVAL_MS) : null;
    const lastedMs = isBad && sinceMs !== null ? block.endMs - sinceMs : 0;
    return { current: null, sinceMs, longestMs: Math.max(state.longestMs, lastedMs), requests };
  },
  isHarmProven: ({ longestMs }, options) => longestMs > options.longestMs,
  decide(state, _stage, options) {
    const base = { gate: NAME, samples: state.requests, threshold: options.longestMs, alpha: null };
    if (state.requests.candidate === 0) {
      const reason = "the candidate has answered no request yet";
      return trafficVerdict(base, "no-data", { estimate: null, reason, needs: "requests that the candidate answers" });
    }
    const estimate = state.longestMs;
    const reason = `the longest burst of more than ${percent(options.limit)} 5xx answers lasted ${estimate / 1_000} s (at most ${options.longestMs / 1_000} s)`;
    if (traffic.isHarmProven(state, options)) return trafficVerdict(base, "fail", { estimate, reason });
    if (state.sinceMs === null) return trafficVerdict(base, "pass", { estimate, reason });
    return trafficVerdict(base, "inconclusive", { estimate, reason: `${reason}; one is going on`, needs: "its end" });
  },
};

/**
 * No burst of 5xx answers may last: intervals of 5 s whose 5xx share is above `limit`, one after another, for longer
 * than `longestMs`. A duration, not a rate, so a short blip during a flip is forgiven and a steady one is not.
 * @source requirements.md GQ-23 (page 004)
 */
export const fiveXxBurst = defineGate({
  name: NAME,
  reads: "traffic",
  counts: "requests",
  says: "Does a burst of 5xx answers last too long?",
  unit: "milliseconds above `limit`",
  from: "gateway",
  options: OPTIONS,
  conditions: {
    five_xx_burst: {
      means: "had a burst of 5xx answers that lasted too long",
      lookAt: "what happened in those seconds: a deploy, a region, a dependency",
    },
  },
  worst: "failures",
  needs: ({ longestMs }) => ({ needsSamples: 1, detectable: `a burst longer than ${longestMs / 1_000} s` }),
  traffic,
});
