import { assert } from "../assert.ts";

/** A watch without an end: e-processes started at every moment, summed. Plain JSON. */
export interface EDetector {
  /** ln of the Shiryaev-Roberts sum; null before the first block, when the sum is 0. */
  readonly lnSum: number | null;
}

export const NEW_DETECTOR: EDetector = { lnSum: null };

/**
 * The detector after one more block: M = (M + 1) E. `E` is the block's e-value: the factor by which an e-process grew,
 * `after.logE - before.logE`, whose alternative must not depend on the block itself.
 * Alarm when `lnSum` >= ln(1/alpha): a healthy service is then alarmed once in at least 1/alpha blocks on average.
 * @source J. Shin, A. Ramdas, A. Rinaldo, "E-detectors: a nonparametric framework for sequential change detection",
 * arXiv 2203.03532, e-SR procedure
 */
export function foldDetector({ lnSum }: EDetector, lnBlockE: number): EDetector {
  assert(Number.isFinite(lnBlockE), `a block's e-value has a finite logarithm: ${lnBlockE}`);
  const plusOne = lnSum === null ? 0 : Math.max(lnSum, 0) + Math.log1p(Math.exp(-Math.abs(lnSum)));
  return { lnSum: plusOne + lnBlockE };
}

/** Whether the detector alarms at a mean of at least `blocksBetweenFalseAlarms` healthy blocks between alarms. */
export function isAlarm({ lnSum }: EDetector, blocksBetweenFalseAlarms: number): boolean {
  assert(blocksBetweenFalseAlarms > 1, `false alarms are at least one block apart: ${blocksBetweenFalseAlarms}`);
  return lnSum !== null && lnSum >= Math.log(blocksBetweenFalseAlarms);
}
