import type { Stage } from "../stage/plan.ts";
import { holdMsOf, shareOf } from "../stage/share.ts";
import { BP_ALL, type Bp, bp } from "../unit.ts";

/** The share a trace was recorded at, and how long a live stage at it would hold. */
export interface ChosenStage {
  readonly candidateBp: Bp;
  readonly holdMs: number;
}

/** Realised shares within this ratio of a stage's are that stage: requests never follow an ordered share exactly. */
const SAME_STAGE_RATIO = 1.25;

/**
 * The stage of the ladder a trace belongs to: the nearest in log odds, so that 1 % and 5 % are as far apart as 95 % and
 * 99 %. An ordered share stands as it is; a realised one is taken for the stage's where it is near it.
 * @param share the candidate's part of the requests, 0..1
 */
export function chooseStage(ladder: readonly Stage[], share: number, orderedBp: Bp | null): ChosenStage {
  const realised = orderedBp === null ? share : orderedBp / 10_000;
  const stages = ladder.flatMap((stage): ChosenStage[] => {
    const candidateBp = shareOf(stage);
    return candidateBp === null ? [] : [{ candidateBp, holdMs: holdMsOf(stage) }];
  });
  const nearest = stages.reduce<ChosenStage | null>(
    (best, stage) => (best === null || distance(stage, realised) < distance(best, realised) ? stage : best),
    null,
  );
  const holdMs = nearest?.holdMs ?? 0;
  if (orderedBp !== null) return { candidateBp: orderedBp, holdMs };
  const realisedBp = bp(Math.round(realised * 10_000));
  if (nearest === null) return { candidateBp: realisedBp, holdMs };
  const ratio = realisedBp / nearest.candidateBp;
  const isSame = ratio <= SAME_STAGE_RATIO && ratio >= 1 / SAME_STAGE_RATIO;
  // All users on the candidate is a state of its own: without stable there is nothing to compare with.
  const isAll = (realisedBp === BP_ALL) === (nearest.candidateBp === BP_ALL);
  return { candidateBp: isSame && isAll ? nearest.candidateBp : realisedBp, holdMs };
}

function distance({ candidateBp }: ChosenStage, share: number): number {
  return Math.abs(logOdds(candidateBp / 10_000) - logOdds(share));
}

/** Shares of nothing and of all are taken for one unit in twenty thousand. */
function logOdds(share: number): number {
  const inside = Math.min(1 - 0.5e-4, Math.max(0.5e-4, share));
  return Math.log(inside / (1 - inside));
}
