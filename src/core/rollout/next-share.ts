import { shareOf } from "../stage/share.ts";
import type { RolloutPlan } from "../stage/plan.ts";
import type { Bp } from "../unit.ts";

/**
 * Where a rollout wants to go: `first` it begins, `on` the stage is done, `full` a person sends everybody, `back` the
 * stage failed and gets a second try from the share before it.
 */
export type Way = "first" | "on" | "full" | "back";

/** A stage to enter and the share to order for it; null where the stage moves no traffic. */
export interface NextShare {
  readonly stageIndex: number;
  readonly candidateBp: Bp | null;
}

/**
 * The only place that says which share comes next; null when there is none that way. A ladder answers from the plan's
 * stages alone. A pace is a second answer to the same question: what it reads of the traffic has to come in with the
 * event, so that the journal still replays to the same shares.
 */
export function nextShare(plan: RolloutPlan, stageIndex: number, way: Way): NextShare | null {
  return onLadder(plan, indexOn(plan, stageIndex, way));
}

function onLadder({ stages }: RolloutPlan, stageIndex: number): NextShare | null {
  const stage = stages[stageIndex];
  return stage === undefined ? null : { stageIndex, candidateBp: shareOf(stage) };
}

/** Index of the stage that way; outside the ladder when there is none. */
function indexOn({ stages }: RolloutPlan, stageIndex: number, way: Way): number {
  switch (way) {
    case "first":
      return 0;
    case "on":
      return stageIndex + 1;
    case "full":
      return stages.length - 1;
    case "back": // Probes are not asked again: only a share can be gone back to.
      return stages.slice(0, stageIndex).findLastIndex(({ kind }) => kind === "traffic");
  }
}
