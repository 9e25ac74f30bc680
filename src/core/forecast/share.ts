import { lnBetaBinomial } from "../stats/beta-binomial.ts";
import { binomialAtLeast } from "../stats/binomial.ts";
import { requestsAtRates } from "../stats/difference.ts";
import type { TrafficStage } from "../stage/plan.ts";
import type { GateSetting } from "../gate/gate.ts";
import type { LimitOptions } from "../gate/options.ts";
import { TUNED_FOR } from "../gate/share-gate.ts";
import type { ShareMeasure } from "../gate/share-measure.ts";
import { type Assumptions, bothArms, type Needs, shareOf } from "./needs.ts";

/** Shares a healthy candidate is assumed to show where they are not errors. */
const HEALTHY = { "cold-share": 0.01, "cache-hit-drop": 0.3, "dedupe-miss": 0.0001 } as const;
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

export function forecastShare(
  measure: ShareMeasure,
  setting: GateSetting,
  stage: TrafficStage,
  assumed: Assumptions,
): Needs {
  const options = setting.options as unknown as LimitOptions;
  const rate = (HEALTHY as Readonly<Record<string, number>>)[measure.gate] ?? assumed.failureRate;
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
