import { assert } from "../assert.ts";
import { normalCdf } from "./special.ts";

export type Sides = "one-sided" | "two-sided";

/**
 * Width of a normal mixture that makes its boundary at crossing probability `alpha` tightest at intrinsic time `v`.
 * @source S. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence
 * sequences", Annals of Statistics 49 (2021), section 3.5; reference values: confseq `uniform_boundaries_unittest.cpp`
 */
export function bestMixtureWidth(v: number, alpha: number, sides: Sides): number {
  assert(v > 0 && alpha > 0 && alpha < 0.5, `a mixture is tuned for v > 0 and alpha in 0..0.5: ${v}, ${alpha}`);
  const budget = -2 * Math.log(sides === "one-sided" ? 2 * alpha : alpha);
  return v / (budget + Math.log1p(budget));
}

/**
 * Logarithm of the normal mixture supermartingale of a sum `s` with accumulated variance `v`, mixture width `rho`.
 * @source Howard et al. (2021), two-sided and one-sided normal mixtures
 */
export function lnNormalMixture(s: number, v: number, rho: number, sides: Sides): number {
  const total = v + rho;
  const both = Math.log(rho / total) / 2 + (s * s) / (2 * total);
  return sides === "two-sided" ? both : both + Math.LN2 + Math.log(normalCdf(s / Math.sqrt(total)));
}

/** The sum at which the mixture reaches 1/alpha: under the null, S_t stays below it for all t with chance 1 - alpha. */
export function normalMixtureBound(v: number, alpha: number, rho: number, sides: Sides): number {
  const goal = -Math.log(alpha);
  const twoSided = Math.sqrt((v + rho) * (Math.log1p(v / rho) + 2 * goal));
  if (sides === "two-sided") return twoSided;
  let [low, high] = [0, twoSided];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (lnNormalMixture(middle, v, rho, sides) < goal) low = middle;
    else high = middle;
  }
  return high;
}
