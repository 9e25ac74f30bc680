import { epochMs } from "../unit.ts";
import type { RolloutEvent } from "./event.ts";
import type { Rollout } from "./rollout.ts";

/**
 * The controller's wall clock was set, or its machine slept: what was held so far stays what it was. Only what is
 * measured from a time moves with the clock; what tells when something happened stays.
 */
export function onClockMoved(rollout: Rollout, { byMs }: Extract<RolloutEvent, { kind: "clock-moved" }>): Rollout {
  const { holdingSince, pausedAt, rollbackOrderedAt } = rollout;
  const moved = (at: Rollout["holdingSince"]) => (at === null ? null : epochMs(at + byMs));
  if (holdingSince === null && pausedAt === null && rollbackOrderedAt === null) return rollout;
  return {
    ...rollout,
    holdingSince: moved(holdingSince),
    pausedAt: moved(pausedAt),
    rollbackOrderedAt: moved(rollbackOrderedAt),
  };
}

/**
 * A hold goes on with what the process before it is known to have lived through, by its own clock: nobody can tell an
 * absence from a clock that was set meanwhile, so neither counts.
 */
export function onRestart(
  rollout: Rollout,
  { at, livedUntil }: Extract<RolloutEvent, { kind: "controller-restarted" }>,
): Rollout {
  const { holdingSince, pausedAt } = rollout;
  const restarted: Rollout = { ...rollout, restartedAt: at };
  if (holdingSince === null || livedUntil === undefined) return restarted;
  const heldMs = Math.max(0, Math.min(livedUntil, pausedAt ?? livedUntil) - holdingSince);
  return { ...restarted, holdingSince: epochMs(at - heldMs), pausedAt: pausedAt === null ? null : at };
}
