import { shareOf } from "../stage/share.ts";
import { currentStage, isFinal, type Rollout } from "./rollout.ts";

/**
 * What must hold of every reachable rollout; a list of broken rules, empty when all hold. Asserted by the wheel
 * after every step, so by the controller before it commits, by every rehearsal and by the property tests.
 */
export function brokenInvariants(rollout: Rollout): readonly string[] {
  const { phase, candidateBp, awaiting } = rollout;
  const stage = currentStage(rollout);
  const allowedBp = shareOf(stage);
  const isBack =
    phase === "rolling-back" || phase === "rolled-back" || phase === "aborted" || phase === "rollback-failed";
  const rules: readonly (readonly [holds: boolean, rule: string])[] = [
    [!isBack || candidateBp === 0, "I4: nothing is ordered onto the candidate once it goes back"],
    [allowedBp === null || candidateBp <= allowedBp, "the candidate never has more than its stage"],
    [!isFinal(rollout) || awaiting.length === 0, "an ended rollout waits for nothing"],
    [phase === "pending" || rollout.startedAt !== null, "a running rollout has a start"],
    [isFinal(rollout) === (rollout.endedAt !== null), "an end has a time, and nothing else has"],
    [phase !== "rolling-back" || rollout.rollbackOrderedAt !== null, "a rollback knows when it was ordered"],
    [phase !== "probing" || stage.kind === "probes", "probes run in probe stages"],
    [phase !== "waiting" || rollout.cause !== null || rollout.paused, "a rollout that waits says for what"],
  ];
  return rules.filter(([holds]) => !holds).map(([, rule]) => rule);
}
