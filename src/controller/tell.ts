import { gateLabel } from "../core/judge/setting.ts";
import type { Effect } from "../core/rollout/effect.ts";
import { lookAtOf } from "../core/rollout/look-at.ts";
import { currentStage, isFinal, type Rollout } from "../core/rollout/rollout.ts";
import { shareOf } from "../core/stage/share.ts";
import type { EventFeed } from "./event-feed.ts";

/** Tells listeners what a decision changed: the stage, verdicts of another kind, the phase. */
export function tell(feed: EventFeed, ts: number, before: Rollout, after: Rollout, effects: readonly Effect[]): void {
  const rollout = after.plan.rolloutId;
  // What caused a step is told before the step.
  for (const verdict of after.verdicts) {
    const gate = gateLabel(verdict);
    const last = before.verdicts.find((one) => gateLabel(one) === gate);
    if (last?.kind === verdict.kind) continue;
    const { kind, estimate, threshold, reason, samples } = verdict;
    const stage = before.stageIndex;
    feed.publish(ts, {
      type: "verdict",
      rollout,
      stage,
      gate,
      verdict: kind,
      estimate,
      threshold,
      samples: samples.candidate,
      reason,
    });
  }
  const isNewStage =
    after.stageIndex !== before.stageIndex || (before.phase === "pending" && after.phase !== "pending");
  if (isNewStage) {
    if (after.choice != null && after.choice.stageIndex === after.stageIndex)
      feed.publish(ts, { type: "note", rollout, text: after.choice.text });
    const stage = currentStage(after);
    const shareBp = shareOf(stage) ?? after.candidateBp;
    feed.publish(ts, { type: "stage", rollout, index: after.stageIndex, share_bp: shareBp, kind: stage.kind });
  }
  if (after.phase !== before.phase) {
    feed.publish(ts, {
      type: "phase",
      rollout,
      phase: after.phase,
      gate: after.cause?.gate ?? null,
      cause: after.cause?.text ?? null,
      look_at: lookAtOf(after.cause),
    });
  }
  const pause = pauseText(before, after);
  if (pause !== null) feed.publish(ts, { type: "note", rollout, text: pause });
  for (const effect of effects) {
    if (effect.kind !== "set-split") continue;
    const share =
      effect.shadow === true
        ? "ordered copies for the candidate, and no user"
        : `ordered ${effect.candidateBp / 100} % on the candidate`;
    const text = effect.arms === "swap" ? "the candidate becomes stable" : share;
    feed.publish(ts, { type: "note", rollout, text });
  }
}

/** A pause and its end are no phases; an end that is a way back is told by that. */
function pauseText(before: Rollout, after: Rollout): string | null {
  if (before.paused === after.paused) return null;
  if (after.paused) return "paused: nothing is promoted until resumed; failed gates still take the candidate back";
  return after.phase === "rolling-back" || isFinal(after) ? null : "resumed: the pause is over";
}
