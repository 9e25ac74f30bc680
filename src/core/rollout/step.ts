import type { Effect } from "./effect.ts";
import type { RolloutEvent } from "./event.ts";
import type { Rollout } from "./rollout.ts";

/** A decision: the rollout after the event and the work it asks for. Journal both before running an effect. */
export interface Next {
  readonly state: Rollout;
  readonly effects: readonly Effect[];
}

/** One decision: same rollout and same event give the same answer. */
export function step(rollout: Rollout, _event: RolloutEvent): Next {
  return { state: rollout, effects: [] };
}
