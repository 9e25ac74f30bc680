import type { CommandAnswer } from "../core/rollout/command.ts";
import type { Command } from "../core/rollout/event.ts";
import { isFinal, type Rollout } from "../core/rollout/rollout.ts";
import type { UnprovenGate } from "../core/rollout/unproven.ts";
import { releaseName, type ServicePointer } from "../core/service/pointer.ts";

/** What a person asks of a rollout. */
export interface Asked {
  readonly command: Command;
  /** Promote straight to 100 %. */
  readonly full: boolean;
  /** Promote although gates of the stage have not passed. */
  readonly despite?: boolean;
  readonly by: string;
  readonly reason: string;
}

const percent = (bp: number) => `${bp / 100} %`;
const listed = (unproven: readonly UnprovenGate[]) => unproven.map(({ gate, text }) => `${gate} (${text})`).join(", ");

/** A refused command, with the one that works now. */
export function insteadText(rolloutId: string, { text, instead }: Extract<CommandAnswer, { kind: "refused" }>): string {
  return `${rolloutId} ${text}; what works now: sluice ${instead} ${rolloutId}`;
}

/**
 * An ended rollout has nothing left to take back: a later one, or a person, has published a split. What went back
 * itself is no way back either, and to name its rollback would lead in a circle.
 */
export function supersededText(
  rolloutId: string,
  service: string,
  moverId: string | null,
  mover: Rollout | null,
  pointer: ServicePointer | null,
): string {
  const hasGoneBack = mover !== null && (mover.phase === "rolled-back" || mover.phase === "aborted");
  if (mover !== null && !hasGoneBack)
    return `service ${service} has moved on with ${moverId}; see: sluice rollback ${moverId}`;
  const back = `to bring an earlier release back at once: sluice service adopt ${service} --url URL --reason TEXT`;
  const rest = `see: sluice service ${service}; ${back}`;
  if (!hasGoneBack) {
    const by = moverId === null ? "was taken over by an operator" : `has moved on with ${moverId}`;
    return `service ${service} ${by}; ${rest}`;
  }
  return `${moverId} was tried and taken back after it; ${servedText(rolloutId, service, pointer)}; ${rest}`;
}

/** What users have after a later rollout was taken back. */
function servedText(rolloutId: string, service: string, pointer: ServicePointer | null): string {
  if (pointer === null) return `${service} serves what it served before`;
  const { process, generation } = pointer.since;
  if (process === rolloutId) return `${service} serves ${rolloutId}'s release`;
  const since = generation === null ? "that an operator took over" : `since ${process}`;
  return `${service} serves ${releaseName(pointer)} (${since})`;
}

/** A promotion that skips a proof, with what is missing and how to insist. */
export function despiteText({ plan, candidateBp }: Rollout, unproven: readonly UnprovenGate[]): string {
  const at = candidateBp === 0 ? "at the probes" : `at ${percent(candidateBp)}`;
  return `still unproven ${at}: ${listed(unproven)}; to go on without: sluice promote ${plan.rolloutId} --despite`;
}

/**
 * What a command has done: what is ordered now, and what was skipped. Ordered is not confirmed, and never called so.
 */
export function doneText(command: Command, before: Rollout, after: Rollout, unproven: readonly UnprovenGate[]): string {
  const { phase, candidateBp } = after;
  switch (command) {
    case "promote": {
      const ordered =
        phase === "promoting"
          ? "the candidate becomes the stable release"
          : phase === "probing"
            ? "the probes of the next stage run"
            : `ordered ${percent(candidateBp)} on the candidate (${percent(before.candidateBp)} before)`;
      return unproven.length === 0 ? ordered : `${ordered}, without proof: ${listed(unproven)}`;
    }
    case "pause":
      return "paused: nothing is promoted until resumed; failed gates still take the candidate back";
    case "resume":
      return phase === "probing" ? "the probes run again" : `goes on at ${percent(candidateBp)}`;
    default:
      return isFinal(after)
        ? `${phase}: no user had been sent to the candidate`
        : `ordered 0 % on the candidate (${percent(before.candidateBp)} before); not confirmed yet: sluice status tells`;
  }
}
