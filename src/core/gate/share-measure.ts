import { type ArmCount, NO_COUNTS } from "../stats/count-block.ts";
import { countBins } from "../window/sketch.ts";
import type { ArmWindow } from "../window/window.ts";
import type { GateName } from "./options.ts";

/**
 * A share of something one arm did, and how it is compared: by itself, as a difference from stable's in points, or as a
 * multiple of stable's.
 */
export interface ShareMeasure {
  readonly gate: GateName;
  readonly comparison: "absolute" | "difference" | "ratio";
  /** What `failures` counts, and what `total` counts, as words of a sentence. */
  readonly what: string;
  readonly among: string;
  /** Bad ones among all in one window; null when the window says nothing about it. */
  count(arm: ArmWindow): ArmCount | null;
}

function errors(arm: ArmWindow): ArmCount {
  return { failures: arm.failures, total: arm.requests };
}

/** Answers of the 5xx family among the requests of one window. */
export function serverErrors(arm: ArmWindow): ArmCount {
  let failures = 0;
  for (const [name, count] of Object.entries(arm.classes)) if (name.includes("|5xx|")) failures += count;
  return { failures, total: arm.requests };
}

function coldStarts(arm: ArmWindow): ArmCount {
  const cold = countBins(arm.cold);
  return { failures: cold, total: cold + countBins(arm.warm) };
}

function cacheMisses({ counters }: ArmWindow): ArmCount | null {
  const { cacheLookups, cacheHits } = counters;
  if (cacheLookups === undefined) return null;
  return { failures: cacheLookups - (cacheHits ?? 0), total: cacheLookups };
}

function unsuppressed({ counters }: ArmWindow): ArmCount | null {
  const { repeatDeliveries, suppressedDeliveries } = counters;
  if (repeatDeliveries === undefined) return null;
  return { failures: repeatDeliveries - (suppressedDeliveries ?? 0), total: repeatDeliveries };
}

const REQUESTS = "candidate requests";

/** Every share that has a gate. @source requirements.md §2.2 (GQ-20, GQ-21, GQ-22, GQ-24, GQ-27, GQ-29, RB-3) */
export const SHARE_MEASURES: readonly ShareMeasure[] = [
  { gate: "error-rate-abs", comparison: "absolute", what: "errors", among: REQUESTS, count: errors },
  { gate: "error-rate-rel", comparison: "ratio", what: "errors", among: REQUESTS, count: errors },
  { gate: "five-xx-abs", comparison: "absolute", what: "5xx answers", among: REQUESTS, count: serverErrors },
  { gate: "five-xx-delta", comparison: "difference", what: "5xx answers", among: REQUESTS, count: serverErrors },
  { gate: "cold-share", comparison: "absolute", what: "cold starts", among: "answers", count: coldStarts },
  { gate: "cache-hit-drop", comparison: "difference", what: "cache misses", among: "lookups", count: cacheMisses },
  {
    gate: "dedupe-miss",
    comparison: "absolute",
    what: "repeated deliveries let through",
    among: "repeated deliveries",
    count: unsuppressed,
  },
];

/** The count of an arm, nothing where the window says nothing. */
export function countOrNone(measure: ShareMeasure, arm: ArmWindow): ArmCount {
  return measure.count(arm) ?? NO_COUNTS.stable;
}
