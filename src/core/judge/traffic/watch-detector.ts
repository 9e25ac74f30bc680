import { type EDetector, foldDetector, isAlarm, NEW_DETECTOR } from "../../stats/e-detector.ts";
import type { ArmCount } from "../../stats/count-block.ts";
import { lnSumExp } from "../../stats/special.ts";

/**
 * Watches the candidate at 100 %, where no stable arm runs beside it: a share of bad answers against the worst one
 * stable left behind. Plain JSON. Finds a leak that begins at any moment, at the price of a false alarm now and then
 * instead of a promise for all time.
 */
export interface WatchDetector {
  /** One detector for each alternative bet on, in the order of `EXCESS`. */
  readonly detectors: readonly EDetector[];
  readonly seen: ArmCount;
}

/** Alternatives: the null rate plus this part of the way to 1. */
const EXCESS = [0.01, 0.05, 0.5] as const;

export const NEW_WATCH: WatchDetector = {
  detectors: EXCESS.map(() => NEW_DETECTOR),
  seen: { failures: 0, total: 0 },
};

/** The watch after one more block. `nullRate` is the highest share that is still tolerated, fixed before the block. */
export function foldWatch({ detectors, seen }: WatchDetector, count: ArmCount, nullRate: number): WatchDetector {
  if (count.total === 0) return { detectors, seen };
  const rate = Math.min(0.999, Math.max(1e-6, nullRate));
  const next = EXCESS.map((excess, index) => {
    const worse = Math.min(0.9995, rate + excess * (1 - rate));
    const lnE =
      count.failures * Math.log(worse / rate) + (count.total - count.failures) * Math.log((1 - worse) / (1 - rate));
    return foldDetector(detectors[index] ?? NEW_DETECTOR, lnE);
  });
  return {
    detectors: next,
    seen: { failures: seen.failures + count.failures, total: seen.total + count.total },
  };
}

/**
 * Whether the share has risen above what is tolerated; a healthy candidate is alarmed once in at least
 * `blocksBetweenFalseAlarms` blocks on average. The average of e-detectors is one itself.
 * @source J. Shin, A. Ramdas, A. Rinaldo, "E-detectors", arXiv 2203.03532, e-SR procedure and mixtures of it
 */
export function isWatchAlarmed({ detectors }: WatchDetector, blocksBetweenFalseAlarms: number): boolean {
  const sums = detectors.flatMap(({ lnSum }) => (lnSum === null ? [] : [lnSum - Math.log(EXCESS.length)]));
  return sums.length > 0 && isAlarm({ lnSum: lnSumExp(sums) }, blocksBetweenFalseAlarms);
}
