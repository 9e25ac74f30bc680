import { assert } from "../assert.ts";
import { normalCdf, normalQuantile } from "./special.ts";

/** One kind of answer, lognormal: cached ones, say, beside those that are worked out. */
export interface LatencyPeak {
  /** Of all answers; the shares of all peaks sum to 1. */
  readonly share: number;
  readonly medianMs: number;
  /** Standard deviation of the logarithm, 0.5 being usual. */
  readonly logDeviation: number;
}

/** How latency is distributed: one peak or several. */
export type LatencyShape = readonly LatencyPeak[];

/** A shape of one peak; where latencies are only compared, its median does not matter. */
export function onePeak(logDeviation: number): LatencyShape {
  return [{ share: 1, medianMs: 1, logDeviation }];
}

const z = (lnMs: number, { medianMs, logDeviation }: LatencyPeak): number => (lnMs - Math.log(medianMs)) / logDeviation;

function checked(shape: LatencyShape): LatencyShape {
  const isValid = shape.every(({ share, medianMs, logDeviation }) => share > 0 && medianMs > 0 && logDeviation > 0);
  const sum = shape.reduce((all, { share }) => all + share, 0);
  assert(isValid && Math.abs(sum - 1) < 0.001, `peaks of latency have shares that sum to 1: ${JSON.stringify(shape)}`);
  return shape;
}

/** Share of latencies above a value, given as its logarithm. */
function survival(shape: LatencyShape, lnMs: number): number {
  return shape.reduce((sum, peak) => sum + peak.share * normalCdf(-z(lnMs, peak)), 0);
}

const HALVINGS = 100;
/** No peak reaches further, for all that a double can tell. */
const REACH = 40;

/** Logarithm of a quantile. */
function lnQuantile(shape: LatencyShape, quantile: number): number {
  const [only] = shape;
  if (only !== undefined && shape.length === 1)
    return Math.log(only.medianMs) + only.logDeviation * normalQuantile(quantile);
  let low = Math.min(...shape.map(({ medianMs, logDeviation }) => Math.log(medianMs) - REACH * logDeviation));
  let high = Math.max(...shape.map(({ medianMs, logDeviation }) => Math.log(medianMs) + REACH * logDeviation));
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2;
    if (survival(shape, middle) > 1 - quantile) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * Chance that a candidate latency exceeds `ratio` times stable's quantile: the candidate rate of an exceedance
 * e-process, whose stable rate is 1 - quantile. Between two peaks it hardly moves with the ratio.
 * @param factor the candidate's latency over stable's; 1 for equal arms
 */
export function exceedanceRate(quantile: number, ratio: number, factor: number, shape: LatencyShape): number {
  assert(ratio > 0 && factor > 0, `ratio and factor are > 0: ${ratio}, ${factor}`);
  return survival(checked(shape), lnQuantile(shape, quantile) + Math.log(ratio / factor));
}

/**
 * Standard deviation of the logarithm of an estimated quantile, for large samples.
 * @source asymptotic variance p (1 - p) / (n f(q)^2) of a sample quantile: A. W. van der Vaart, "Asymptotic
 * Statistics" (1998), corollary 21.5, on the logarithm of the latency
 */
export function quantileDeviation(quantile: number, samples: number, shape: LatencyShape): number {
  assert(quantile > 0 && quantile < 1 && samples >= 1, `a quantile of at least one sample: ${quantile}, ${samples}`);
  const at = lnQuantile(checked(shape), quantile);
  const density = shape.reduce((sum, peak) => {
    return sum + (peak.share / peak.logDeviation) * (Math.exp(-(z(at, peak) ** 2) / 2) / Math.sqrt(2 * Math.PI));
  }, 0);
  return Math.sqrt((quantile * (1 - quantile)) / samples) / density;
}
