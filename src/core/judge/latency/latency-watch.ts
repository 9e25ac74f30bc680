import { countBins, mergeBins, quantileOf, type SparseBins } from "../../window/sketch.ts";
import type { EpochMs } from "../../unit.ts";
import type { Block } from "../block.ts";
import { isAlone } from "../traffic/stage-tally.ts";
import { foldWatch, isWatchAlarmed, NEW_WATCH, type WatchDetector } from "../traffic/watch-detector.ts";

/**
 * Watches the warm p95 at 100 %, where no stable arm runs beside it. Latency swings for seconds at a time by itself,
 * and without a concurrent arm a swing looks like harm; so stretches of a minute are compared with the worst stretch
 * stable ever showed. Slower than a fuse, and made for leaks.
 */
export interface LatencyWatch {
  /** The stretch being gathered, and whether it is the candidate's. */
  readonly gathering: { readonly startMs: EpochMs; readonly isCandidate: boolean; readonly bins: SparseBins } | null;
  /** p95 of stable's slowest stretch; null before its first whole one. */
  readonly worstStableMs: number | null;
  /** Stretches of the candidate: how many there were, and how many were too slow. */
  readonly detector: WatchDetector;
}

/** A stretch is at least this long and has at least so many answers. */
const STRETCH_MS = 60_000;
const STRETCH_SAMPLES = 200;
const QUANTILE = 0.95;
/** One stretch in ten may be slower than stable's slowest by the margin: nothing like it happens to an equal arm. */
const NULL_RATE = 0.1;
/** A false alarm once in that many stretches on average: ten weeks of minutes. */
const STRETCHES_BETWEEN_FALSE_ALARMS = 100_000;

export const NEW_LATENCY_WATCH: LatencyWatch = { gathering: null, worstStableMs: null, detector: NEW_WATCH };

/** The watch after one more block. `margin` is the ratio to stable's slowest stretch that is tolerated. */
export function foldLatencyWatch(watch: LatencyWatch, block: Block, margin: number): LatencyWatch {
  const isCandidate = isAlone(block);
  const warm = block.arms[isCandidate ? "candidate" : "stable"].warm;
  if (warm.length === 0) return watch;
  const isSame = watch.gathering?.isCandidate === isCandidate;
  const startMs = isSame ? (watch.gathering?.startMs ?? block.endMs) : ((block.endMs - block.spanMs) as EpochMs);
  const bins = mergeBins(isSame ? (watch.gathering?.bins ?? []) : [], warm);
  if (block.endMs - startMs < STRETCH_MS || countBins(bins) < STRETCH_SAMPLES)
    return { ...watch, gathering: { startMs, isCandidate, bins } };
  const p95Ms = quantileOf(bins, QUANTILE) ?? 0;
  const whole = { ...watch, gathering: null };
  if (!isCandidate) return { ...whole, worstStableMs: Math.max(p95Ms, watch.worstStableMs ?? 0) };
  if (watch.worstStableMs === null) return whole;
  const failures = p95Ms > margin * watch.worstStableMs ? 1 : 0;
  return { ...whole, detector: foldWatch(watch.detector, { failures, total: 1 }, NULL_RATE) };
}

/** Whether the candidate has been slower than it may be for too many stretches. */
export function isLatencyAlarmed({ detector }: LatencyWatch): boolean {
  return isWatchAlarmed(detector, STRETCHES_BETWEEN_FALSE_ALARMS);
}
