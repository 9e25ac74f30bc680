import type { ByArm } from "../arm.ts";
import { mergeBins, type SparseBins } from "./sketch.ts";
import type { ErrorClass } from "./window.ts";

/** Why a request that was chosen made no pair. */
export const SHADOW_LEFT = [
  /** More copies than the order allows at a time or a second. */
  "busy",
  /** Its body is longer than the order allows, or was not sent whole. */
  "body",
  /** Stable gave no answer to compare with: its client went away, or the gateway answered. */
  "gone",
  /** Stable itself took longer than a copy may. */
  "late",
] as const;
export type ShadowLeft = (typeof SHADOW_LEFT)[number];

/** Pairs by who failed: one request, answered by stable for its user and by the candidate for nobody. */
export interface PairCounts {
  readonly bothOk: number;
  readonly stableFailed: number;
  readonly candidateFailed: number;
  readonly bothFailed: number;
}

/** What copies showed in one window. No user was answered by any of it. */
export interface ShadowWindow {
  /** Requests chosen to be copied. */
  readonly chosen: number;
  readonly pairs: PairCounts;
  /** The pairs in which one arm alone failed, the first of each unit, or of each request where there is no unit. */
  readonly first: Pick<PairCounts, "stableFailed" | "candidateFailed">;
  /** Of `bothOk`: answered with another status. */
  readonly otherStatus: number;
  /** The candidate's failures by class; values sum to `candidateFailed` and `bothFailed`. */
  readonly classes: Readonly<Record<ErrorClass, number>>;
  /** Times of both arms in pairs in which both answered warm and nobody had to wait for a client. */
  readonly warm: ByArm<SparseBins>;
  readonly left: Readonly<Record<ShadowLeft, number>>;
}

export const NO_PAIRS: PairCounts = { bothOk: 0, stableFailed: 0, candidateFailed: 0, bothFailed: 0 };

export const EMPTY_SHADOW: ShadowWindow = {
  chosen: 0,
  pairs: NO_PAIRS,
  first: { stableFailed: 0, candidateFailed: 0 },
  otherStatus: 0,
  classes: {},
  warm: { stable: [], candidate: [] },
  left: { busy: 0, body: 0, gone: 0, late: 0 },
};

export function countPairs({ bothOk, stableFailed, candidateFailed, bothFailed }: PairCounts): number {
  return bothOk + stableFailed + candidateFailed + bothFailed;
}

/** Both together; counts add. */
export function mergeShadow(a: ShadowWindow, b: ShadowWindow): ShadowWindow {
  return {
    chosen: a.chosen + b.chosen,
    pairs: sum(a.pairs, b.pairs),
    first: sum(a.first, b.first),
    otherStatus: a.otherStatus + b.otherStatus,
    classes: sum(a.classes, b.classes),
    warm: {
      stable: mergeBins(a.warm.stable, b.warm.stable),
      candidate: mergeBins(a.warm.candidate, b.warm.candidate),
    },
    left: sum(a.left, b.left),
  };
}

/** Adds counts by name, names in their order. */
function sum<T extends object>(a: T, b: T): T {
  const [left, right] = [a as Readonly<Record<string, number>>, b as Readonly<Record<string, number>>];
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
  return Object.fromEntries(names.map((name) => [name, (left[name] ?? 0) + (right[name] ?? 0)])) as T;
}
