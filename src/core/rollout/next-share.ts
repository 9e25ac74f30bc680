import { shareOf } from "../stage/share.ts";
import type { RolloutPlan } from "../stage/plan.ts";
import type { Bp } from "../unit.ts";
import type { Rollout } from "./rollout.ts";

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

/** Where a rollout stands, and where evidence sends it. */
type Place = Pick<Rollout, "plan" | "stageIndex" | "choice" | "stoodAt">;

/**
 * The only place that says which share comes next; null when there is none that way. A ladder answers from the plan's
 * stages alone, a pace from the choice that came in with the last verdicts.
 */
export function nextShare(place: Place, way: Way): NextShare | null {
  const { plan } = place;
  return onLadder(plan, plan.pace === undefined ? indexOn(place, way) : indexAtPace(place, way));
}

function onLadder({ stages }: RolloutPlan, stageIndex: number): NextShare | null {
  const stage = stages[stageIndex];
  return stage === undefined ? null : { stageIndex, candidateBp: shareOf(stage) };
}

/** Index of the stage that way; outside the ladder when there is none. */
function indexOn({ plan: { stages }, stageIndex }: Place, way: Way): number {
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

/** The stage chosen, by way of the probes that lie before it; back to a share that was really held. */
function indexAtPace(place: Place, way: Way): number {
  const { plan, stageIndex, choice, stoodAt = [] } = place;
  if (way === "back") return stoodAt.findLast((index) => index < stageIndex) ?? -1;
  const chosen = choice?.stageIndex ?? null;
  if (way !== "on" || chosen === null || chosen <= stageIndex) return indexOn(place, way);
  if (plan.stages[stageIndex]?.kind === "probes") return chosen;
  const between = plan.stages.slice(stageIndex + 1, chosen).findLastIndex(({ kind }) => kind === "probes");
  return between === -1 ? chosen : stageIndex + 1 + between;
}
