import type { Machine } from "../process/machine.ts";
import type { RolloutPlan } from "../stage/plan.ts";
import type { RolloutEvent } from "./event.ts";
import { brokenInvariants } from "./invariant.ts";
import { notesOf, type RolloutNote } from "./note.ts";
import type { RolloutOrder } from "./order.ts";
import { isFinal, newRollout, type Rollout } from "./rollout.ts";
import { step } from "./step.ts";

/** The canary as a machine: shares of traffic, held and judged one after another. */
export const rolloutMachine = {
  kind: "rollout",
  start: newRollout,
  step(before, event) {
    const { state, orders } = step(before, event);
    return { state, orders, notes: state === before ? [] : notesOf(before, state, orders) };
  },
  broken: brokenInvariants,
  isFinal,
  cause: ({ cause }) => cause,
} satisfies Machine<RolloutPlan, Rollout, RolloutEvent, RolloutOrder, RolloutNote>;
