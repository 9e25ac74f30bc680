import betainc from "@stdlib/math-base-special-betainc";
import erfc from "@stdlib/math-base-special-erfc";
import gammaln from "@stdlib/math-base-special-gammaln";
import { assert } from "../assert.ts";

/** Natural logarithm of the gamma function of `x` > 0. */
export function lnGamma(x: number): number {
  return gammaln(x);
}

/** Natural logarithm of the beta function of `a`, `b` > 0. */
export function lnBeta(a: number, b: number): number {
  return gammaln(a) + gammaln(b) - gammaln(a + b);
}

/**
 * Logarithm of the regularised incomplete beta function: ln P(X <= x) of a Beta(a, b) variable, or ln P(X > x) with
 * `tail` "upper". Keeps its relative accuracy far below the smallest double, where the function itself is 0.
 * @param x 0..1; outside that range the answer is that of the nearer end
 * @param a > 0
 * @param b > 0
 * @returns <= 0; -Infinity only for an empty interval
 */
export function lnBetaCdf(x: number, a: number, b: number, tail: "lower" | "upper" = "lower"): number {
  assert(a > 0 && b > 0 && !Number.isNaN(x), `a beta distribution needs a, b > 0 and a number x: ${a}, ${b}, ${x}`);
  const empty = tail === "lower" ? x <= 0 : x >= 1;
  if (empty) return Number.NEGATIVE_INFINITY;
  if (x <= 0 || x >= 1) return 0;
  const share = betainc(x, a, b, true, tail === "upper");
  if (share > LIBRARY_FLOOR) return Math.min(0, Math.log(share));
  return tail === "lower" ? lnBetaTail(x, a, b) : lnBetaTail(1 - x, b, a);
}

/** Below this the library's value is close to underflow and its logarithm is taken from the continued fraction. */
const LIBRARY_FLOOR = 1e-200;

/**
 * ln I_x(a, b) for x below the mean, by Lentz's evaluation of the continued fraction.
 * @source NIST Digital Library of Mathematical Functions, 8.17.22; W. J. Lentz, Applied Optics 15 (1976) 668-671
 */
function lnBetaTail(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const guard = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / guard(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 2000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / guard(1 + even * d);
    c = guard(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / guard(1 + odd * d);
    c = guard(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return a * Math.log(x) + b * Math.log1p(-x) - Math.log(a) - lnBeta(a, b) + Math.log(fraction);
}

/** Standard normal distribution function. */
export function normalCdf(z: number): number {
  return erfc(-z / Math.SQRT2) / 2;
}

/**
 * Standard normal quantile, by Halley steps on the distribution function.
 * @param share strictly between 0 and 1
 * @source first guess: Abramowitz & Stegun (1964), 26.2.23; the steps then reach the accuracy of `normalCdf`
 */
export function normalQuantile(share: number): number {
  assert(share > 0 && share < 1, `a normal quantile needs a share strictly between 0 and 1: ${share}`);
  const tail = Math.min(share, 1 - share);
  const t = Math.sqrt(-2 * Math.log(tail));
  const top = 2.515517 + t * (0.802853 + t * 0.010328);
  const bottom = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  let z = top / bottom - t;
  for (let step = 0; step < 4; step++) {
    const error = (normalCdf(z) - tail) * Math.sqrt(2 * Math.PI) * Math.exp((z * z) / 2);
    z -= error / (1 + (z * error) / 2);
  }
  return share <= 0.5 ? z : -z;
}

/** ln(e^a + e^b + …) without overflow; -Infinity for an empty list. */
export function lnSumExp(terms: readonly number[]): number {
  const top = terms.reduce((most, term) => Math.max(most, term), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(top)) return top;
  return top + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - top), 0));
}

/** Probability that Student's t with `freedom` > 0 degrees of freedom is above `t` >= 0. */
export function studentTail(t: number, freedom: number): number {
  return Math.exp(lnBetaCdf(freedom / (freedom + t * t), freedom / 2, 0.5)) / 2;
}

/**
 * Quantile of Student's t distribution, by bisection on the incomplete beta function.
 * @param share strictly between 0 and 1
 * @param freedom degrees of freedom, > 0
 */
export function studentQuantile(share: number, freedom: number): number {
  assert(
    share > 0 && share < 1 && freedom > 0,
    `a t quantile needs a share in 0..1 and freedom > 0: ${share}, ${freedom}`,
  );
  const tail = Math.min(share, 1 - share);
  let [low, high] = [0, 1];
  while (studentTail(high, freedom) > tail && high < 1e15) high *= 2;
  for (let step = 0; step < 80; step++) {
    const middle = (low + high) / 2;
    if (studentTail(middle, freedom) > tail) low = middle;
    else high = middle;
  }
  const t = (low + high) / 2;
  return share < 0.5 ? -t : t;
}
