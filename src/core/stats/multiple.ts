import { assert } from "../assert.ts";
import { lnSumExp } from "./special.ts";

/**
 * Which e-values are discoveries with a false discovery rate of at most `alpha`, under any dependence.
 * @param lnEValues one per hypothesis, as logarithms
 * @returns one flag per hypothesis, in the given order
 * @source R. Wang, A. Ramdas, "False discovery rate control with e-values", JRSS B 84 (2022): e-BH
 */
export function eBenjaminiHochberg(lnEValues: readonly number[], alpha: number): readonly boolean[] {
  assertLevel(alpha);
  const ranked = [...lnEValues].sort((a, b) => b - a);
  const hypotheses = ranked.length;
  const needed = (rank: number): number => Math.log(hypotheses / (rank * alpha));
  // The largest rank whose e-value reaches the level of that rank; everything at least as large is a discovery.
  let least = Number.POSITIVE_INFINITY;
  for (const [index, value] of ranked.entries()) if (value >= needed(index + 1)) least = value;
  return lnEValues.map((value) => value >= least);
}

/**
 * ln of the average of e-values: an e-value itself under any dependence between them.
 * @param weights not negative, sum 1; equal by default. 0 (an e-value of 1) for an empty list
 * @source V. Vovk, R. Wang, "E-values: calibration, combination and applications", Annals of Statistics 49 (2021)
 */
export function lnAverageEValue(lnEValues: readonly number[], weights?: readonly number[]): number {
  if (lnEValues.length === 0) return 0;
  assert(weights === undefined || weights.length === lnEValues.length, "one weight for each e-value");
  const share = (index: number): number => weights?.[index] ?? 1 / lnEValues.length;
  const sum = lnEValues.reduce((total, _, index) => total + share(index), 0);
  assert(Math.abs(sum - 1) < 1e-9, `weights sum to 1: ${sum}`);
  return lnSumExp(lnEValues.map((value, index) => value + Math.log(share(index))));
}

/**
 * Splits an error budget over gates: each gets alpha times its part. The chance that any gate is wrong is at most alpha
 * (Bonferroni), whatever their dependence.
 */
export function splitAlpha(alpha: number, gates: number): number {
  assertLevel(alpha);
  assert(Number.isInteger(gates) && gates >= 1, `gates are counted from 1: ${gates}`);
  return alpha / gates;
}

/**
 * Holm's step-down test: which p-values are rejected with a family-wise error of at most `alpha`.
 * @returns one flag per hypothesis, in the given order
 * @source S. Holm, Scandinavian Journal of Statistics 6 (1979) 65-70
 */
export function holm(pValues: readonly number[], alpha: number): readonly boolean[] {
  assertLevel(alpha);
  const order = pValues.map((_, index) => index).sort((a, b) => (pValues[a] ?? 1) - (pValues[b] ?? 1));
  const rejected = pValues.map(() => false);
  for (const [step, index] of order.entries()) {
    if ((pValues[index] ?? 1) > alpha / (pValues.length - step)) break;
    rejected[index] = true;
  }
  return rejected;
}

function assertLevel(alpha: number): void {
  assert(alpha > 0 && alpha < 1, `an error rate is strictly between 0 and 1: ${alpha}`);
}
