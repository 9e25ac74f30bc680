import { cosine, type Vector } from "./cosine.ts";

/** Version of the metric. @source definitions.md, head */
export const DELTA_S = "delta-s/1";

/** Raw distance under which two texts are practically the same. @source definitions.md §3 */
const DEGENERATE = 0.02;

/** `empty`: nothing to compare. `degenerate`: practically the same text, which says more of the set than of the arm. */
type DeltaSFlag = "empty" | "degenerate" | null;

export interface Distance {
  /** 0..2, raw scale. */
  readonly value: number;
  readonly flag: DeltaSFlag;
}

/** A text as the judge sees it; null for an empty text. */
export type Embedded = Vector | null;

/**
 * ΔS of two texts: clamp(1 - cos, 0, 2) in float64; an empty text or a zero vector gives 1 with the flag `empty`.
 * @source definitions.md §3
 */
export function deltaS(left: Embedded, right: Embedded): Distance {
  const similarity = left === null || right === null ? null : cosine(left, right);
  return similarity === null ? { value: 1, flag: "empty" } : flagged(1 - similarity);
}

function flagged(raw: number): Distance {
  const value = Math.min(2, Math.max(0, raw));
  return { value, flag: value < DEGENERATE ? "degenerate" : null };
}

/** Weights of ranks 1..count: each half of the one before, sum 1. @source definitions.md §3 */
export function rankWeights(count: number): readonly number[] {
  const total = 2 - 2 ** (1 - count); // 1 + 1/2 + ... + 2^-(count-1)
  return Array.from({ length: count }, (_, index) => 2 ** -index / total);
}

/** ΔS of one run. */
export interface RunDeltaS {
  /** Weighted over the ranks; what gates read. */
  readonly weighted: Distance;
  /** Closest chunk; null without chunks. */
  readonly best: number | null;
  /** Closest cited chunk; null when no returned chunk is cited. */
  readonly cited: number | null;
  /** Best rank first. */
  readonly byRank: readonly number[];
}

/**
 * ΔS of a question and its chunks: 1 - Σ wᵢ·cos(E(q), E(cᵢ)) with wᵢ ∝ 2^-(i-1). Chunks are never joined before
 * embedding, because truncation would then decide what counts. A chunk without text counts as distance 1.
 * @param distances ΔS of the question and each chunk of the prompt, best rank first
 * @param isCited whether the chunk at a rank is cited
 * @source definitions.md §3
 */
export function deltaSOfRun(distances: readonly Distance[], isCited: (rank: number) => boolean): RunDeltaS {
  const byRank = distances.map(({ value }) => value);
  if (distances.every(({ flag }) => flag === "empty")) {
    return { weighted: { value: 1, flag: "empty" }, best: null, cited: null, byRank };
  }
  const weights = rankWeights(byRank.length);
  const weighted = flagged(byRank.reduce((sum, value, rank) => sum + value * (weights[rank] as number), 0));
  const cited = byRank.filter((_, rank) => isCited(rank));
  return { weighted, best: Math.min(...byRank), cited: cited.length === 0 ? null : Math.min(...cited), byRank };
}
