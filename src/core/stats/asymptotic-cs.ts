import { assert } from "../assert.ts";

/** Count, mean and sum of squared deviations of a stream; plain JSON, O(1) per value, mergeable. */
export interface Moments {
  readonly count: number;
  readonly mean: number;
  readonly squares: number;
}

export const NO_MOMENTS: Moments = { count: 0, mean: 0, squares: 0 };

/** One more value. @source B. P. Welford, Technometrics 4 (1962) 419-420 */
export function addValue(moments: Moments, value: number): Moments {
  assert(Number.isFinite(value), `a value is finite: ${value}`);
  const count = moments.count + 1;
  const step = value - moments.mean;
  const mean = moments.mean + step / count;
  return { count, mean, squares: moments.squares + step * (value - mean) };
}

/** Moments of both streams together. @source Chan, Golub, LeVeque, The American Statistician 37 (1983) 242-247 */
export function mergeMoments(left: Moments, right: Moments): Moments {
  const count = left.count + right.count;
  if (count === 0) return NO_MOMENTS;
  const step = right.mean - left.mean;
  return {
    count,
    mean: left.mean + (step * right.count) / count,
    squares: left.squares + right.squares + (step * step * left.count * right.count) / count,
  };
}

/**
 * Half-width of the asymptotic confidence sequence of a mean: mean +- half-width holds at all sizes at once with
 * probability about 1 - alpha, once samples are large enough for the central limit theorem (take at least 100).
 * For a difference of independent means use the summed variances over n as `deviation`.
 * @param deviation standard deviation of one value
 * @param tunedFor sample size at which it is tightest
 * @source I. Waudby-Smith, D. Arbour, R. Sinha, E. Kennedy, A. Ramdas, "Time-uniform central limit theory and
 * asymptotic confidence sequences", arXiv 2103.06476, equation 9; one-sided equation 134
 */
export function asymptoticHalfWidth(
  count: number,
  deviation: number,
  alpha: number,
  tunedFor: number,
  sides: "one-sided" | "two-sided" = "two-sided",
): number {
  assert(count >= 1 && deviation >= 0, `a half-width needs samples and a deviation >= 0: ${count}, ${deviation}`);
  const rho = asymptoticWidth(alpha, tunedFor, sides);
  const grown = count * rho * rho + 1;
  const cost = sides === "two-sided" ? Math.log(Math.sqrt(grown) / alpha) : Math.log1p(Math.sqrt(grown) / (2 * alpha));
  return deviation * Math.sqrt(((2 * grown) / (count * rho) ** 2) * cost);
}

/** The same for moments: [low, high], or null below two values. */
export function asymptoticInterval(
  moments: Moments,
  alpha: number,
  tunedFor: number,
): readonly [low: number, high: number] | null {
  if (moments.count < 2) return null;
  const deviation = Math.sqrt(moments.squares / (moments.count - 1));
  const half = asymptoticHalfWidth(moments.count, deviation, alpha, tunedFor);
  return [moments.mean - half, moments.mean + half];
}

/** The tuning parameter rho. @source arXiv 2103.06476, appendix on the choice of rho; one-sided takes 2 alpha */
function asymptoticWidth(alpha: number, tunedFor: number, sides: "one-sided" | "two-sided"): number {
  assert(alpha > 0 && alpha < 0.5, `alpha is strictly between 0 and 0.5: ${alpha}`);
  assert(tunedFor >= 1, `a confidence sequence is tuned for at least one sample: ${tunedFor}`);
  const level = -2 * Math.log(sides === "two-sided" ? alpha : 2 * alpha);
  return Math.sqrt((level + Math.log1p(level)) / tunedFor);
}
