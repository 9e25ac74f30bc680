import { assert } from "../assert.ts";
import { lnBetaCdf } from "./special.ts";

/**
 * P(X <= count) of a binomial variable. Used to print what a plain threshold on a fixed sample would do.
 * @source I_{1-p}(n - k, k + 1): NIST Digital Library of Mathematical Functions, 8.17.5
 */
export function binomialAtMost(count: number, total: number, rate: number): number {
  assertBinomial(count, total, rate);
  if (count < 0) return 0;
  if (count >= total) return 1;
  return Math.exp(lnBetaCdf(1 - rate, total - count, count + 1));
}

/** P(X >= count) of a binomial variable; keeps its relative accuracy in the far tail. */
export function binomialAtLeast(count: number, total: number, rate: number): number {
  assertBinomial(count, total, rate);
  if (count <= 0) return 1;
  if (count > total) return 0;
  return Math.exp(lnBetaCdf(rate, count, total - count + 1));
}

/** Kullback-Leibler divergence of a coin of `rate` from one of `from`, in nats; `from` strictly between 0 and 1. */
export function divergence(rate: number, from: number): number {
  const part = (share: number, of: number): number => (share > 0 ? share * Math.log(share / of) : 0);
  return part(rate, from) + part(1 - rate, 1 - from);
}

function assertBinomial(count: number, total: number, rate: number): void {
  assert(Number.isInteger(count) && Number.isInteger(total) && total >= 0, `counts are integers: ${count} of ${total}`);
  assert(rate >= 0 && rate <= 1, `a rate is 0..1: ${rate}`);
}
