import type { ByArm } from "../arm.ts";
import type { Block } from "../judge/block.ts";
import type { EpochMs } from "../unit.ts";
import { mergeArmWindows } from "../window/merge.ts";
import { countBins, quantileOf } from "../window/sketch.ts";
import { type ArmWindow, EMPTY_ARM_WINDOW } from "../window/window.ts";

/** Blocks are looked at in stretches of this length: one quarter second has too few requests to be called bad. */
const STRETCH_MS = 5_000;
/** Fewest candidate requests of a stretch that is compared with others. */
const LEAST_REQUESTS = 5;

/** One arm in one stretch. */
interface ArmStretch {
  readonly requests: number;
  readonly failures: number;
  readonly p95Ms: number | null;
}

/** A stretch of traffic worth looking at, e.g. in the logs of the service. */
export interface Stretch {
  readonly startMs: EpochMs;
  readonly endMs: EpochMs;
  readonly arms: ByArm<ArmStretch>;
}

/** The stretches in which the candidate did worst beside stable, by failures and by latency; the one being gathered. */
export interface WorstWindows {
  readonly gathering: { readonly startMs: EpochMs; readonly arms: ByArm<ArmWindow> } | null;
  readonly failures: Stretch | null;
  readonly latency: Stretch | null;
}

export const NO_WORST: WorstWindows = { gathering: null, failures: null, latency: null };

function stretchOf({ requests, failures, warm }: ArmWindow): ArmStretch {
  return { requests, failures, p95Ms: countBins(warm) === 0 ? null : quantileOf(warm, 0.95) };
}

const failureShare = ({ failures, requests }: ArmStretch): number => (requests === 0 ? 0 : failures / requests);

/** How much more of the candidate's requests failed than of stable's; without any of stable's, how many did. */
const moreFailures = ({ stable, candidate }: Stretch["arms"]): number => failureShare(candidate) - failureShare(stable);

/** How many ms slower the candidate's p95 was than stable's; alone at 100 %, how slow it was. */
const slowerMs = ({ stable, candidate }: Stretch["arms"]): number => (candidate.p95Ms ?? 0) - (stable.p95Ms ?? 0);

/** The worse one of both; a stretch in which the candidate did no worse than stable is none. */
function worseOf(before: Stretch | null, stretch: Stretch, excess: (arms: Stretch["arms"]) => number): Stretch | null {
  return excess(stretch.arms) > (before === null ? 0 : excess(before.arms)) ? stretch : before;
}

/** The worst stretches after one more block. */
export function foldWorst(worst: WorstWindows, { arms, endMs, spanMs }: Block): WorstWindows {
  if (arms.candidate.requests === 0 && worst.gathering === null) return worst;
  const before = worst.gathering ?? {
    startMs: (endMs - spanMs) as EpochMs,
    arms: { stable: EMPTY_ARM_WINDOW, candidate: EMPTY_ARM_WINDOW },
  };
  const merged = {
    stable: mergeArmWindows(before.arms.stable, arms.stable),
    candidate: mergeArmWindows(before.arms.candidate, arms.candidate),
  };
  if (endMs - before.startMs < STRETCH_MS) return { ...worst, gathering: { startMs: before.startMs, arms: merged } };
  if (merged.candidate.requests < LEAST_REQUESTS) return { ...worst, gathering: null };
  const both = { stable: stretchOf(merged.stable), candidate: stretchOf(merged.candidate) };
  const stretch: Stretch = { startMs: before.startMs, endMs, arms: both };
  return {
    gathering: null,
    failures: worseOf(worst.failures, stretch, moreFailures),
    latency: worseOf(worst.latency, stretch, slowerMs),
  };
}
