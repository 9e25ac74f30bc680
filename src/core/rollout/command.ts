import { unreachable } from "../assert.ts";
import type { RolloutEvent } from "./event.ts";
import { type Cause, currentStage, isFinal, type Rollout } from "./rollout.ts";
import { overall } from "../verdict.ts";
import { advance, advanceToFull, type Decision, rollBack, runProbes, stay } from "./transition.ts";

type CommandEvent = Extract<RolloutEvent, { kind: "commanded" }>;

/**
 * What a person asked for. A command that makes no sense in the current phase changes nothing (`answerTo` tells why
 * beforehand), so a repeated click is one action.
 */
export function onCommand(rollout: Rollout, event: CommandEvent): Decision {
  if (answerTo(rollout, event.command).kind !== "acts") return stay(rollout);
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

/**
 * Commands an answer may point to; each of them does something, or shows what happens, in the state it is named for.
 */
type Instead = "abort" | "rollback" | "retry" | "watch";

/**
 * What a command comes to in a state. `held`: what it would bring about is so already, which is no error. `refused`: it
 * would change nothing; `instead` is a command that works now.
 * @source definitions.md §13
 */
export type CommandAnswer =
  | { readonly kind: "acts" }
  | { readonly kind: "held"; readonly text: string }
  | { readonly kind: "refused"; readonly text: string; readonly instead: Instead };

const ACTS: CommandAnswer = { kind: "acts" };

/** The answer to a command in the state of a rollout. No state refuses every command: each names the one that works. */
export function answerTo(rollout: Rollout, command: CommandEvent["command"]): CommandAnswer {
  switch (command) {
    case "rollback":
      return rollbackAnswer(rollout);
    case "abort":
      return abortAnswer(rollout);
    case "pause":
      return rollout.paused && !isFinal(rollout) ? held("is paused already") : pauseAnswer(rollout);
    case "resume":
      return resumeAnswer(rollout);
    case "promote":
      return promoteAnswer(rollout);
    default:
      return unreachable(command);
  }
}

function held(text: string): CommandAnswer {
  return { kind: "held", text };
}

function refused(text: string, instead: Instead): CommandAnswer {
  return { kind: "refused", text, instead };
}

/** The answer of an ended rollout to a command for a running one. */
function overAnswer({ phase }: Rollout): CommandAnswer {
  const instead = phase === "promoted" || phase === "rollback-failed" ? "rollback" : "retry";
  return refused(`has ended (${phase})`, instead);
}

function rollbackAnswer({ phase }: Rollout): CommandAnswer {
  if (phase === "rolled-back" || phase === "aborted") return held(`has ended already (${phase})`);
  return phase === "rolling-back" ? held("is going back to stable already") : ACTS;
}

function abortAnswer(rollout: Rollout): CommandAnswer {
  const { phase } = rollout;
  if (phase === "promoted" || phase === "rollback-failed") return overAnswer(rollout);
  return rollbackAnswer(rollout);
}

function pauseAnswer(rollout: Rollout): CommandAnswer {
  if (isFinal(rollout)) return overAnswer(rollout);
  switch (rollout.phase) {
    case "rolling-back":
      return refused("is going back to stable, which cannot be paused", "watch");
    case "retreating":
      return refused("is going back to an earlier share, which cannot be paused", "abort");
    case "promoting":
      return refused("is being promoted, which cannot be paused", "rollback");
    default:
      return ACTS;
  }
}

function resumeAnswer(rollout: Rollout): CommandAnswer {
  if (isFinal(rollout)) return overAnswer(rollout);
  if (rollout.phase === "rolling-back") return refused("is going back to stable", "watch");
  return rollout.paused || rollout.phase === "waiting" ? ACTS : held("is neither paused nor waiting; it goes on");
}

function promoteAnswer(rollout: Rollout): CommandAnswer {
  const { phase, holdingSince } = rollout;
  if (phase === "promoted") return held("is promoted already");
  if (phase === "promoting") return held("is being promoted already");
  if (isFinal(rollout)) return overAnswer(rollout);
  if (phase === "rolling-back") return refused("is going back to stable", "watch");
  if (phase === "waiting" || (phase === "progressing" && holdingSince !== null)) return ACTS;
  return refused(`is ${phase}: no share is confirmed and held that could be skipped`, "abort");
}

/** A resumed probe stage asks again; a resumed traffic stage is held again; a pause does not count into the hold. */
function onResume(rollout: Rollout, event: CommandEvent): Decision {
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
