import { studentQuantile } from "../../stats/special.ts";
import type { Bp } from "../../unit.ts";
import { defineGate, type TrafficPart } from "../definition.ts";
import { milliseconds, MODE, number, ON_NO_DATA, type OptionsOf } from "../fields.ts";
import { tallyPlace } from "./stage-tally.ts";
import { trafficVerdict } from "./traffic-verdict.ts";

const NAME = "queue-age-slope";

const OPTIONS = {
  mode: MODE,
  promote: number(
    { kind: "number", least: 0, most: 1_000 },
    {
      says: "the growth of the queue's age in ms per second that a stage may be left with",
      fallback: 5,
      stricter: "lower",
    },
  ),
  windowMs: milliseconds({ says: "the length in ms of one window a line is drawn through", fallback: 60_000 }),
  windows: number(
    { kind: "number", least: 1, most: 10, isWhole: true },
    { says: "how many rising windows in a row stop", fallback: 3, stricter: "lower" },
  ),
  onNoData: ON_NO_DATA,
};
type Options = OptionsOf<typeof OPTIONS>;

/** Readings are averaged over this time first: neighbours in a queue's age are nearly the same reading. */
const POINT_MS = 5_000;
/** Fewest points of a window whose slope has an interval worth the name. */
const LEAST_POINTS = 6;
interface Point {
  readonly atS: number;
  readonly ageMs: number;
}

interface Slope {
  /** ms of age per second, with its 95 % interval. */
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

interface State {
  readonly bp: Bp | null;
  /** Running mean of the point that is being gathered. */
  readonly gathering: { readonly untilMs: number; readonly sum: number; readonly readings: number } | null;
  readonly windowEndMs: number;
  readonly points: readonly Point[];
  /** Slopes of finished windows at this share, oldest first; only the last few are kept. */
  readonly slopes: readonly Slope[];
}

const KEPT_SLOPES = 10;
const START: State = { bp: null, gathering: null, windowEndMs: 0, points: [], slopes: [] };

/** Least-squares line with the interval of its slope. Null when the points do not spread. */
function slopeOf(points: readonly Point[]): Slope | null {
  const count = points.length;
  if (count < LEAST_POINTS) return null;
  const meanS = points.reduce((sum, { atS }) => sum + atS, 0) / count;
  const meanMs = points.reduce((sum, { ageMs }) => sum + ageMs, 0) / count;
  const spread = points.reduce((sum, { atS }) => sum + (atS - meanS) ** 2, 0);
  if (spread === 0) return null;
  const estimate = points.reduce((sum, { atS, ageMs }) => sum + (atS - meanS) * (ageMs - meanMs), 0) / spread;
  const residuals = points.reduce((sum, { atS, ageMs }) => sum + (ageMs - meanMs - estimate * (atS - meanS)) ** 2, 0);
  const half = studentQuantile(0.975, count - 2) * Math.sqrt(residuals / (count - 2) / spread);
  return { estimate, low: estimate - half, high: estimate + half };
}

function isRising(state: State, { mode, windows, promote }: Options): boolean {
  const last = state.slopes.slice(-windows);
  const bound = (slope: Slope) => (mode === "literal" ? slope.estimate : slope.low);
  return last.length === windows && last.every((slope) => bound(slope) > Math.max(0, promote));
}

const traffic: TrafficPart<Options, State> = {
  start: () => START,
  fold(state, block, { windowMs }) {
    const reading = block.arms.candidate.gauges.queueAgeP95Ms;
    if (reading === undefined) return state;
    const place = tallyPlace(state.bp, block);
    if (place === "late") return state;
    // Another share is another load: windows never mix the two.
    const before = place === "same" ? state : { ...START, windowEndMs: block.endMs + windowMs };
    const gathering = before.gathering ?? { untilMs: block.endMs + POINT_MS, sum: 0, readings: 0 };
    const sum = gathering.sum + reading.sum;
    const readings = gathering.readings + reading.readings;
    const next = { ...before, bp: block.candidateBp };
    if (block.endMs < gathering.untilMs) return { ...next, gathering: { ...gathering, sum, readings } };
    const points = [...before.points, { atS: block.endMs / 1_000, ageMs: sum / readings }];
    if (block.endMs < before.windowEndMs) return { ...next, gathering: null, points };
    const slope = slopeOf(points);
    const slopes = slope === null ? before.slopes : [...before.slopes, slope].slice(-KEPT_SLOPES);
    return { ...next, gathering: null, points: [], windowEndMs: block.endMs + windowMs, slopes };
  },
  isHarmProven: isRising,
  decide(state, _stage, options) {
    const { windows, windowMs, promote, mode } = options;
    const samples = { stable: 0, candidate: state.slopes.length };
    const base = { gate: NAME, samples, threshold: promote, alpha: null };
    const last = state.slopes[state.slopes.length - 1];
    if (last === undefined) {
      const reason =
        state.bp === null
          ? "nothing reports the candidate's queue age"
          : `no window of ${windowMs / 1_000} s is full yet`;
      return trafficVerdict(base, "no-data", { estimate: null, reason, needs: `${windowMs / 1_000} s of queue ages` });
    }
    const { estimate, low, high } = last;
    const finding = { estimate, interval: [low, high] as const };
    const found = `queue age changes by ${estimate.toFixed(1)} ms a second (${low.toFixed(1)}..${high.toFixed(1)})`;
    if (isRising(state, options))
      return trafficVerdict(base, "fail", { ...finding, reason: `${found}: it rose in ${windows} windows in a row` });
    if ((mode === "literal" ? estimate : high) <= promote)
      return trafficVerdict(base, "pass", { ...finding, reason: `${found}: at most ${promote} is wanted` });
    const reason = `${found}: a rise of more than ${promote} is not excluded`;
    return trafficVerdict(base, "inconclusive", { ...finding, reason, needs: "a flat window" });
  },
};

/**
 * Whether the candidate's queue grows older. A line through each window of queue ages: it stops when `windows` windows
 * in a row rise for certain, and promotes when the last one does not rise by more than `promote`, its interval included
 * (literal: the estimate alone).
 * @source requirements.md GQ-28, QJ-10, ST-9; decision-policy.md "Margins"
 */
export const queueAgeSlope = defineGate({
  name: NAME,
  reads: "traffic",
  counts: "gauges",
  says: "Does the candidate's queue grow older?",
  unit: "ms per second",
  from: "`queueAgeP95Ms`",
  options: OPTIONS,
  eventField: "queue",
  conditions: {
    queue_age_slope: {
      means: "lets its queue grow older",
      lookAt: "consumers per partition and what each job costs now",
    },
  },
  needs: ({ windows, windowMs }) => ({
    needsSamples: 0,
    leastS: windowMs / 1_000,
    detectable: `${windows} windows of ${windowMs / 1_000} s in a row that rise`,
  }),
  traffic,
});
