import { addCounts, type CountBlock, NO_COUNTS } from "../../stats/count-block.ts";
import { studentQuantile, studentTail } from "../../stats/special.ts";
import type { EpochMs } from "../../unit.ts";
import type { Block } from "../block.ts";

/**
 * Candidate's share minus stable's, stretch by stretch, since there last was no evidence of harm. An e-process takes
 * requests for independent; an arm whose latency swings by itself then looks worse than chance allows, and a moment
 * later better. Stretches as long as a swing show it: their spread says how far an arm's own swings carry the
 * difference.
 */
export interface SwingGuard {
  readonly gathering: { readonly startMs: EpochMs; readonly counts: CountBlock } | null;
  readonly stretches: number;
  readonly sum: number;
  readonly sumOfSquares: number;
}

/** A stretch lasts until each arm has so many requests in it: a share of one or two is no measurement. */
const LEAST_REQUESTS = 5;
/** Two differences are alike by accident. */
const LEAST_STRETCHES = 3;
/**
 * Of a t test over stretches, of which neighbours are still somewhat alike. Chosen by simulation: of healthy candidates
 * whose latency swings by 25 % for ten seconds at a time, each arm for itself, about 1 % are stopped in a whole
 * rollout, and harm of +40 % is found within three minutes at 5 requests a second.
 */
const LEVEL = 5e-5;

export const NEW_SWING_GUARD: SwingGuard = { gathering: null, stretches: 0, sum: 0, sumOfSquares: 0 };

/**
 * The guard after one more block. `swingMs` is how long an arm may be slow or fast by itself, `logE` the evidence of
 * harm with the block: while there is none, nothing needs to be remembered, and harm that begins late is not diluted.
 */
export function foldSwings(
  guard: SwingGuard,
  block: Block,
  counts: CountBlock,
  { swingMs, logE }: { readonly swingMs: number; readonly logE: number },
): SwingGuard {
  if (logE <= 0) return NEW_SWING_GUARD;
  const startMs = guard.gathering?.startMs ?? ((block.endMs - block.spanMs) as EpochMs);
  const gathered = addCounts(guard.gathering?.counts ?? NO_COUNTS, counts);
  const { stable, candidate } = gathered;
  const isWhole = block.endMs - startMs >= swingMs && Math.min(stable.total, candidate.total) >= LEAST_REQUESTS;
  if (!isWhole) return { ...guard, gathering: { startMs, counts: gathered } };
  const difference = candidate.failures / candidate.total - stable.failures / stable.total;
  return {
    gathering: null,
    stretches: guard.stretches + 1,
    sum: guard.sum + difference,
    sumOfSquares: guard.sumOfSquares + difference * difference,
  };
}

/** Whether the candidate is worse in stretch after stretch, beyond what the arms' own swings explain. */
export function outlastsSwings({ stretches, sum, sumOfSquares }: SwingGuard): boolean {
  if (stretches < LEAST_STRETCHES || sum <= 0) return false;
  const mean = sum / stretches;
  const variance = Math.max(0, (sumOfSquares - stretches * mean * mean) / (stretches - 1));
  return variance === 0 || studentTail(mean / Math.sqrt(variance / stretches), stretches - 1) < LEVEL;
}

/** Shares beyond the threshold of a steady candidate and of stable, and the traffic they are seen in. */
export interface SteadyHarm {
  readonly candidateRate: number;
  readonly stableRate: number;
  readonly requestsPerSecond: number;
  readonly candidateShare: number;
  readonly swingMs: number;
}

/** Seconds until steady harm outlasts swings, by the spread that chance alone gives its stretches. */
export function secondsToOutlast(harm: SteadyHarm): number {
  const { candidateRate, stableRate, requestsPerSecond, candidateShare, swingMs } = harm;
  const candidates = requestsPerSecond * candidateShare;
  const stables = requestsPerSecond - candidates;
  const lengthS = Math.max(swingMs / 1_000, LEAST_REQUESTS / Math.min(candidates, stables));
  const variance =
    (candidateRate * (1 - candidateRate)) / (lengthS * candidates) +
    (stableRate * (1 - stableRate)) / (lengthS * stables);
  const effect = (candidateRate - stableRate) / Math.sqrt(variance);
  const rejects = (count: number) => effect * Math.sqrt(count) >= studentQuantile(1 - LEVEL, count - 1);
  let [low, high] = [LEAST_STRETCHES - 1, LEAST_STRETCHES];
  while (!rejects(high) && high < 2 ** 20) [low, high] = [high, 2 * high];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (rejects(middle)) high = middle;
    else low = middle;
  }
  return high * lengthS;
}
