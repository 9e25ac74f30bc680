import { addCounts, type CountBlock, NO_COUNTS } from "../../stats/count-block.ts";
import { BP_ALL, type Bp } from "../../unit.ts";
import type { Block } from "../block.ts";

/**
 * Where a block belongs when each share is tallied by itself: to the share being tallied, to a new one, or nowhere,
 * because it is a late word about an earlier share. Within one rollout's evidence shares only rise: a way back starts
 * the evidence afresh.
 */
export function tallyPlace(talliedBp: Bp | null, { candidateBp }: Block): "same" | "next" | "late" {
  if (talliedBp === null || candidateBp > talliedBp) return "next";
  return candidateBp === talliedBp ? "same" : "late";
}

/** At 100 % no stable traffic is left to compare with: a comparison then keeps its last word. */
export function isAlone({ candidateBp, arms }: Block): boolean {
  return candidateBp === BP_ALL && arms.stable.requests === 0;
}

/**
 * Whether a block comes after the comparison of both arms: at 100 % stable answers what it had begun, or nothing. A
 * tally begun at a smaller share keeps its last word, which a few late answers would replace by "not known".
 */
export function isAfterComparing(tallied: Bp | null, block: Block): boolean {
  if (tallied === null || block.candidateBp !== BP_ALL) return false;
  return tallied !== BP_ALL || isAlone(block);
}

/** Counts of both arms at the share in force. */
export interface StageCounts extends CountBlock {
  readonly candidateBp: Bp | null;
}

export const NO_STAGE_COUNTS: StageCounts = { ...NO_COUNTS, candidateBp: null };

/** The tally of the share in force after a block; what came before the candidate's first share is not its own. */
export function talliedAt(stage: StageCounts, block: Block, counts: CountBlock): StageCounts {
  const place = tallyPlace(stage.candidateBp, block);
  if (place === "late" || isAfterComparing(stage.candidateBp, block)) return stage;
  return { ...addCounts(place === "same" ? stage : NO_COUNTS, counts), candidateBp: block.candidateBp };
}
