import { isProbeGate, isTrafficGate, speaksIn } from "../judge/gates.ts";
import { gateLabel, isInForce, maySkip, speaksFor } from "../judge/setting.ts";
import { currentStage, type Rollout, verdictsInForce } from "./rollout.ts";

/** A gate that the stage in force still waits for, and what it last said. */
export interface UnprovenGate {
  readonly gate: string;
  readonly text: string;
}

/**
 * Traffic gates that have no part in the stage's decision because nobody tells what they ask for: said to people, or
 * they would take silence for watching. Empty until the other gates have spoken.
 */
export function unwatchedGates(rollout: Rollout): readonly string[] {
  const { plan, candidateBp, verdicts } = rollout;
  if (currentStage(rollout).kind === "probes" || verdicts.length === 0) return [];
  const silent = plan.gates.filter(
    (setting) =>
      isTrafficGate(setting.gate) &&
      maySkip(setting) &&
      isInForce(setting, candidateBp) &&
      !verdicts.some((verdict) => speaksFor(setting, verdict)),
  );
  return silent.map(gateLabel);
}

/**
 * What a stage still lacks before it may go on by itself: gates that must speak and have not, and those that did not
 * pass. Empty at 100 %, where no stable traffic is left to compare with.
 */
export function unprovenGates(rollout: Rollout): readonly UnprovenGate[] {
  const { plan, stageIndex, candidateBp } = rollout;
  const { kind } = currentStage(rollout);
  if (kind === "watch") return [];
  const verdicts = verdictsInForce(rollout);
  const hasProbed = plan.stages.slice(0, stageIndex + 1).some((stage) => stage.kind === "probes");
  const isMeasured = kind === "traffic" || kind === "shadow";
  const silent = plan.gates.filter(
    (setting) =>
      isInForce(setting, candidateBp) &&
      !maySkip(setting) &&
      speaksIn(setting.gate, kind) &&
      ((isMeasured && isTrafficGate(setting.gate)) || (hasProbed && isProbeGate(setting.gate))) &&
      !verdicts.some((verdict) => speaksFor(setting, verdict)),
  );
  return [
    ...verdicts
      .filter(({ kind }) => kind !== "pass")
      .map((verdict) => {
        const { reason, needs } = verdict;
        return { gate: gateLabel(verdict), text: needs === null ? reason : `${reason}; needs ${needs}` };
      }),
    ...silent.map((setting) => ({ gate: gateLabel(setting), text: "has not spoken yet" })),
  ];
}
