import { gateLabel } from "../core/judge/setting.ts";
import type { PaceChoice } from "../core/pace/pace-choice.ts";
import type { RolloutEvent } from "../core/rollout/event.ts";
import type { Rollout } from "../core/rollout/rollout.ts";

/** Ticks and looks that change nothing a person would call a change leave no entry. */
export function isWorthAnEntry(before: Rollout, after: Rollout, event: RolloutEvent): boolean {
  if (event.kind !== "tick" && event.kind !== "judged") return before !== after;
  const isMoved =
    before.phase !== after.phase || before.stageIndex !== after.stageIndex || before.awaiting !== after.awaiting;
  return isMoved || kindsOf(before) !== kindsOf(after);
}

function kindsOf({ verdicts }: Rollout): string {
  return verdicts.map((verdict) => `${gateLabel(verdict)}:${verdict.kind}`).join();
}

/**
 * The same verdicts, and the same next share of a paced rollout, in newer numbers. They are stored with the next
 * decision: a restart reads the evidence and judges it again before anybody could miss them.
 */
export function isOnlyNumbers(before: Rollout, after: Rollout): boolean {
  const names = Object.keys({ ...before, ...after }) as (keyof Rollout)[];
  return (
    names.every((name) => name === "verdicts" || name === "choice" || before[name] === after[name]) &&
    kindsOf(before) === kindsOf(after) &&
    isSameChoice(before.choice ?? null, after.choice ?? null)
  );
}

function isSameChoice(before: PaceChoice | null, after: PaceChoice | null): boolean {
  if (before === null || after === null) return before === after;
  const { fromIndex, stageIndex, needsProof } = before;
  return after.fromIndex === fromIndex && after.stageIndex === stageIndex && after.needsProof === needsProof;
}
