import { unreachable } from "../assert.ts";
import type { RolloutEvent } from "./event.ts";
import { type Cause, currentStage, isFinal, type Rollout } from "./rollout.ts";
import { overall } from "../verdict.ts";
import { advance, advanceToFull, type Next, rollBack, runProbes, stay } from "./transition.ts";

type Commanded = Extract<RolloutEvent, { kind: "commanded" }>;

/**
 * What a person asked for. A command that makes no sense in the current phase changes nothing (`accepts` tells why
 * beforehand), so a repeated click is one action.
 */
export function onCommand(rollout: Rollout, event: Commanded): Next {
  if (refusal(rollout, event.command) !== null) return stay(rollout);
  const said = event.reason === "" ? "" : `: ${event.reason}`;
  const text = `${event.command} by ${event.by}${said}`;
  const cause: Cause = { gate: null, verdict: null, stageIndex: rollout.stageIndex, at: event.at, text };
  switch (event.command) {
    case "abort":
      return rollBack(rollout, cause, "aborted");
    case "rollback":
      return rollBack(rollout, cause, "rolled-back");
    case "pause":
      return stay({ ...rollout, paused: true, pausedAt: rollout.holdingSince === null ? null : event.at });
    case "resume":
      return onResume(rollout, event);
    case "promote": {
      const going: Rollout = { ...rollout, paused: false, pausedAt: null };
      return event.full ? advanceToFull(going) : advance(going);
    }
    default:
      return unreachable(event.command);
  }
}

/** Why a command would change nothing now, as a sentence for the person; null when it would act. */
export function refusal(rollout: Rollout, command: Commanded["command"]): string | null {
  const { phase } = rollout;
  const isGoingBack = phase === "rolling-back" || phase === "retreating";
  switch (command) {
    case "rollback":
      if (phase === "rolled-back" || phase === "aborted" || phase === "rolling-back") return `already ${phase}`;
      return null;
    case "abort":
      if (isFinal(rollout)) return `the rollout has ended (${phase}); use rollback to take back a promotion`;
      return phase === "rolling-back" ? "already rolling back" : null;
    case "pause":
      if (isFinal(rollout) || isGoingBack) return `nothing to pause: ${phase}`;
      return rollout.paused ? "already paused" : null;
    case "resume":
      if (isFinal(rollout) || isGoingBack) return `nothing to resume: ${phase}`;
      return rollout.paused || phase === "waiting" ? null : "not paused and not waiting";
    case "promote": {
      const isReady = phase === "waiting" || (phase === "progressing" && rollout.holdingSince !== null);
      return isReady ? null : `cannot promote now: ${phase}; wait until the share is confirmed and the probes are done`;
    }
    default:
      return unreachable(command);
  }
}

/** A resumed probe stage asks again; a resumed traffic stage is held again; a pause does not count into the hold. */
function onResume(rollout: Rollout, event: Commanded): Next {
  const { holdingSince, pausedAt } = rollout;
  const shifted = holdingSince !== null && pausedAt !== null ? holdingSince + (event.at - pausedAt) : holdingSince;
  const going: Rollout = {
    ...rollout,
    paused: false,
    pausedAt: null,
    holdingSince: shifted as Rollout["holdingSince"],
  };
  if (rollout.phase !== "waiting") return stay(going);
  if (currentStage(rollout).kind === "probes") {
    return overall(rollout.verdicts) === "pass" ? advance(going) : runProbes(going);
  }
  return stay({ ...going, phase: "progressing", holdingSince: event.at, cause: null });
}
