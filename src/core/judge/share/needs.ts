import { lnBetaBinomial } from "../../stats/beta-binomial.ts";
import { binomialAtLeast } from "../../stats/binomial.ts";
import { requestsAtRates } from "../../stats/difference.ts";
import type { TrafficStage } from "../../stage/plan.ts";
import type { Mode } from "../fields.ts";
import type { ShareMeasure } from "./share-measure.ts";
import { type Assumptions, bothArms, type Needs, shareOf } from "../needs.ts";

/**
 * A share of requests or lookups against limits, in the unit of its gate: a share, a difference of shares, or a ratio.
 */
export interface LimitOptions {
  readonly mode: Mode;
  /** The estimate a stage may be left with. */
  readonly promote: number;
  /** Beyond this the candidate is stopped; between `promote` and `stop` the stage holds. Null: it never stops alone. */
  readonly stop: number | null;
  readonly alpha: number;
  readonly beta: number;
  /** Least observations of each arm that is compared. */
  readonly minSamples: number;
}

/** Sample size at which the one-arm test is tightest; it is valid at every other one. */
export const TUNED_FOR = 1_000;

const SAMPLES_MAX = 10_000_000;
const NO_COUNTS = { stable: { failures: 0, total: 0 }, candidate: { failures: 0, total: 0 } };

/** Fewest samples at which a share of `rate` excludes `stop` at error rate beta; null when that is never. */
function samplesToExclude(rate: number, stop: number, beta: number): number | null {
  const isExcluded = (total: number): boolean =>
    lnBetaBinomial(
      { successes: Math.round(rate * total), total },
      stop,
      { samples: TUNED_FOR, alpha: beta },
      "below",
    ) >= Math.log(1 / beta);
  if (rate >= stop || !isExcluded(SAMPLES_MAX)) return null;
  let [low, high] = [1, SAMPLES_MAX];
  while (high - low > Math.max(1, low / 100)) {
    const middle = Math.floor((low + high) / 2);
    if (isExcluded(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function sequentialSamples(measure: ShareMeasure, options: LimitOptions, rate: number, share: number): number | null {
  const { stop, beta } = options;
  if (stop === null || measure.comparison === "ratio") return 0;
  if (measure.comparison === "absolute") return samplesToExclude(rate, stop, beta);
  const goal = { margin: stop, beta, candidateShare: share };
  return requestsAtRates(NO_COUNTS, { stable: rate, candidate: rate }, goal);
}

/** The chance that `minSamples` of a healthy candidate alone lie beyond a literal stop limit; against stable, about. */
function falseStopOf(measure: ShareMeasure, { stop, minSamples }: LimitOptions, rate: number): number {
  if (stop === null) return 0;
  const limit = measure.comparison === "absolute" ? stop : measure.comparison === "ratio" ? stop * rate : rate + stop;
  return binomialAtLeast(Math.min(minSamples + 1, Math.floor(limit * minSamples) + 1), minSamples, rate);
}

/** What a share needs at a stage of healthy traffic. */
export function shareNeeds(
  measure: ShareMeasure,
  options: LimitOptions,
  stage: TrafficStage,
  assumed: Assumptions,
): Needs {
  const rate = measure.healthy ?? assumed.failureRate;
  const share = shareOf(stage);
  const isAlone = measure.comparison === "absolute";
  const least = isAlone ? options.minSamples : bothArms(options.minSamples, share);
  const unit = measure.comparison === "ratio" ? "x" : measure.comparison === "difference" ? " points" : " %";
  const shown = (limit: number) =>
    `${Number((measure.comparison === "ratio" ? limit : limit * 100).toPrecision(4))}${unit}`;
  const detectable =
    options.stop === null
      ? `never stops; holds above ${shown(options.promote)}`
      : `stops beyond ${shown(options.stop)}`;
  if (isAlone && rate > options.promote) {
    const fix = `a limit above ${(rate * 100).toPrecision(2)} %, which healthy traffic is assumed to show`;
    return { needsSamples: null, detectable, fix };
  }
  if (options.mode === "literal")
    return { needsSamples: least, detectable, falseStop: falseStopOf(measure, options, rate) };
  const needed = sequentialSamples(measure, options, rate, share);
  return { needsSamples: needed === null ? null : Math.max(needed, least), detectable };
}
