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

/** The stretches in which the candidate looked worst, by failures and by latency, and the one being gathered. */
export interface WorstWindows {
  readonly gathering: { readonly startMs: EpochMs; readonly arms: ByArm<ArmWindow> } | null;
  readonly failures: Stretch | null;
  readonly latency: Stretch | null;
}

export const NO_WORST: WorstWindows = { gathering: null, failures: null, latency: null };

function stretchOf({ requests, failures, warm }: ArmWindow): ArmStretch {
  return { requests, failures, p95Ms: countBins(warm) === 0 ? null : quantileOf(warm, 0.95) };
}

const failureShare = (stretch: Stretch | null): number => {
  if (stretch === null) return -1;
  const { failures, requests } = stretch.arms.candidate;
  return failures / requests;
};
const p95 = (stretch: Stretch | null): number => stretch?.arms.candidate.p95Ms ?? -1;

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
    failures: failureShare(stretch) > Math.max(0, failureShare(worst.failures)) ? stretch : worst.failures,
    latency: p95(stretch) > p95(worst.latency) ? stretch : worst.latency,
  };
}
