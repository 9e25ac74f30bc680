import { assert } from "../assert.ts";
import { median } from "./aggregate.ts";

/** Where the calibrated scale puts a question's own gold section and a decoy. @source definitions.md §3 */
const GOLD_AT = 0.35;
const DECOY_AT = 0.85;

/** Least chance that a gold section is closer than a decoy, and least gap of the medians. @source definitions.md §3 */
const AUC_MIN = 0.9;
const GAP_MIN = 0.15;

/** What a judge embedder's raw distances mean on one gold set. */
export interface Calibration {
  /** Median raw distance of a question to its own gold section, and to a decoy. */
  readonly mGold: number;
  readonly mDecoy: number;
  /** Chance that a gold distance is below a decoy distance; ties count one half. */
  readonly auc: number;
  /** False: no absolute limit on ΔS means anything here; `reason` says why. */
  readonly usable: boolean;
  readonly reason: string | null;
}

/** A calibration that cannot be had, with the reason. */
export function notCalibratable(reason: string): Calibration {
  return { mGold: 0, mDecoy: 0, auc: 0.5, usable: false, reason };
}

/**
 * Calibration from raw distances, one of each a question.
 * @source definitions.md §3
 */
export function calibrate(gold: readonly number[], decoy: readonly number[]): Calibration {
  if (gold.length === 0 || decoy.length === 0) return notCalibratable("no question has both a gold and a decoy text");
  return judgedCalibration(median(gold), median(decoy), auc(gold, decoy));
}

/** A calibration from its three numbers, with the judgement whether absolute limits may use it. */
export function judgedCalibration(mGold: number, mDecoy: number, separation: number): Calibration {
  const reason = refusal(mGold, mDecoy, separation);
  return { mGold, mDecoy, auc: separation, usable: reason === null, reason };
}

function refusal(mGold: number, mDecoy: number, separation: number): string | null {
  if (separation < AUC_MIN) {
    return `gold and decoy sections are hardly told apart: AUC ${separation.toFixed(3)}, at least ${AUC_MIN} is needed`;
  }
  const gap = mDecoy - mGold;
  if (gap < GAP_MIN - 1e-12) {
    return `gold and decoy sections are ${gap.toFixed(3)} apart, at least ${GAP_MIN} is needed`;
  }
  return null;
}

/**
 * A raw distance on the calibrated scale: the straight line through mGold ↦ 0.35 and mDecoy ↦ 0.85, not clamped.
 * @source definitions.md §3
 */
export function calibrated(raw: number, { mGold, mDecoy }: Pick<Calibration, "mGold" | "mDecoy">): number {
  assert(mDecoy > mGold, `a calibrated scale needs mDecoy over mGold: ${mDecoy}, ${mGold}`);
  return GOLD_AT + ((raw - mGold) * (DECOY_AT - GOLD_AT)) / (mDecoy - mGold);
}

/**
 * Chance that a value of `low` is below one of `high`, ties one half: the Mann-Whitney statistic over all pairs.
 * @source H. B. Mann, D. R. Whitney, Annals of Mathematical Statistics 18 (1947) 50-60
 */
export function auc(low: readonly number[], high: readonly number[]): number {
  assert(low.length > 0 && high.length > 0, "an AUC needs values on both sides");
  const ascending = Float64Array.from(high).sort();
  const wins = low.reduce((sum, value) => {
    const above = ascending.length - firstIndex(ascending, (other) => other > value);
    const atLeast = ascending.length - firstIndex(ascending, (other) => other >= value);
    return sum + (above + atLeast) / 2;
  }, 0);
  return wins / (low.length * high.length);
}

/** First place where a test that stays true once it is true holds; the length when it never does. */
function firstIndex(ascending: Float64Array, holds: (value: number) => boolean): number {
  let [from, to] = [0, ascending.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (holds(ascending[middle] as number)) to = middle;
    else from = middle + 1;
  }
  return from;
}
