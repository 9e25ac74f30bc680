import { addCounts, type CountBlock, NO_COUNTS } from "../stats/count-block.ts";
import type { EpochMs } from "../unit.ts";
import type { Block } from "./gate.ts";

/**
 * Candidate's share minus stable's, minute by minute. An e-process takes requests for independent; an arm whose latency
 * swings by itself, for ten seconds at a time, then looks worse than chance allows, and a moment later better. Minutes
 * outlast such swings: their spread says how far an arm's own swings carry the difference.
 */
export interface MinuteDifferences {
  readonly gathering: { readonly startMs: EpochMs; readonly counts: CountBlock } | null;
  readonly minutes: number;
  readonly sum: number;
  readonly sumOfSquares: number;
}

const MINUTE_MS = 60_000;
/** Fewer minutes have no spread worth the name; a harm that is proven sooner than that is no swing. */
const LEAST_MINUTES = 5;
/** Standard errors by which the mean difference must be above 0. Where requests are independent, proof comes at about four. */
const LEAST_T = 3;

export const NO_MINUTES: MinuteDifferences = { gathering: null, minutes: 0, sum: 0, sumOfSquares: 0 };

/** The differences after one more block; minutes in which an arm had nothing are left out. */
export function foldMinute(differences: MinuteDifferences, block: Block, counts: CountBlock): MinuteDifferences {
  const { gathering } = differences;
  const startMs = gathering?.startMs ?? ((block.endMs - block.spanMs) as EpochMs);
  const sum = addCounts(gathering?.counts ?? NO_COUNTS, counts);
  if (block.endMs - startMs < MINUTE_MS) return { ...differences, gathering: { startMs, counts: sum } };
  const { stable, candidate } = sum;
  if (stable.total === 0 || candidate.total === 0) return { ...differences, gathering: null };
  const difference = candidate.failures / candidate.total - stable.failures / stable.total;
  return {
    gathering: null,
    minutes: differences.minutes + 1,
    sum: differences.sum + difference,
    sumOfSquares: differences.sumOfSquares + difference * difference,
  };
}

/** Whether the minutes agree that the candidate is worse; true while there are too few to say otherwise. */
export function doMinutesAgree({ minutes, sum, sumOfSquares }: MinuteDifferences): boolean {
  if (minutes < LEAST_MINUTES) return true;
  const mean = sum / minutes;
  const variance = Math.max(0, (sumOfSquares - minutes * mean * mean) / (minutes - 1));
  return mean > LEAST_T * Math.sqrt(variance / minutes);
}
