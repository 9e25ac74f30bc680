import { type ArmCount, NO_COUNTS } from "../../stats/count-block.ts";
import type { ArmWindow } from "../../window/window.ts";

/**
 * A share of something one arm did, and how it is compared: by itself, as a difference from stable's in points, or as a
 * multiple of stable's.
 */
export interface ShareMeasure {
  readonly comparison: "absolute" | "difference" | "ratio";
  /** What `failures` counts, and what `total` counts, as words of a sentence. */
  readonly what: string;
  readonly among: string;
  /** Share a healthy candidate is assumed to show; absent where they are failed requests, which a forecast knows. */
  readonly healthy?: number;
  /** Bad ones among all in one window; null when the window says nothing about it. */
  count(arm: ArmWindow): ArmCount | null;
}

/** Failed requests among all of one window. */
export function errors(arm: ArmWindow): ArmCount {
  return { failures: arm.failures, total: arm.requests };
}

/** Answers of the 5xx family among the requests of one window. */
export function serverErrors(arm: ArmWindow): ArmCount {
  let failures = 0;
  for (const [name, count] of Object.entries(arm.classes)) if (name.includes("|5xx|")) failures += count;
  return { failures, total: arm.requests };
}

/** The count of an arm, nothing where the window says nothing. */
export function countOrNone(measure: ShareMeasure, arm: ArmWindow): ArmCount {
  return measure.count(arm) ?? NO_COUNTS.stable;
}
