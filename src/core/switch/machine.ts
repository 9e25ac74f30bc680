import type { ServingArm } from "../arm.ts";
import { isEntryGate } from "../judge/gates.ts";
import type { Machine } from "../process/machine.ts";
import {
  brokenSaga,
  isSagaFinal,
  newSaga,
  type Saga,
  type SagaEvent,
  type SagaPlan,
  stepSaga,
} from "../process/saga.ts";
import { compare, publish } from "../rollout/order.ts";
import type { ComparedPlan, TrafficPlan } from "../stage/plan.ts";
import { BP_NONE } from "../unit.ts";

/** All users of a service from one arm to the other at once, and back for as long as it is held. */
export interface SwitchPlan extends TrafficPlan, ComparedPlan {
  /** How long the arm before is kept ready, once the other one serves. */
  readonly holdMs: number;
  /** How long each step may be tried again, each way. */
  readonly stepWithinMs: number;
}

/** The whole state of one switch. */
export interface Switch {
  readonly plan: SwitchPlan;
  readonly saga: Saga;
}

/** A switch is one flip: no arm is ever provisional, so a data plane needs no lease to go on serving either. */
function newSwitch(plan: SwitchPlan): Switch {
  return { plan, saga: newSaga(sagaOf(plan)) };
}

/** Identity is compared where a gate asks for it; then the candidate becomes the only arm, read back and held. */
function sagaOf({ rolloutId, generation, gates, holdMs, stepWithinMs: budgetMs }: SwitchPlan): SagaPlan {
  const identity = {
    name: "identity",
    side: "reads",
    apply: compare(),
    verify: null,
    undo: null,
    budgetMs,
    holdMs: 0,
  } as const;
  const flip = {
    name: "traffic",
    side: "reads",
    apply: publish({ candidateBp: BP_NONE, closed: [], arms: "swap", newEpoch: true }),
    verify: null,
    undo: publish({ candidateBp: BP_NONE, closed: ["candidate"], arms: "both", newEpoch: true }),
    budgetMs,
    holdMs,
  } as const;
  const steps = gates.some(({ gate }) => isEntryGate(gate)) ? [identity, flip] : [flip];
  return { processId: rolloutId, generation, epoch: 0, steps };
}

/** The arm that serves everybody, as far as it was read back; null while it is being moved. */
export function servesNow({ saga }: Switch): ServingArm | null {
  if (saga.phase === "holding" || saga.phase === "done") return "candidate";
  if (saga.phase === "pending" || saga.phase === "returned") return "stable";
  const isFlip = saga.at === saga.plan.steps.length - 1;
  return isFlip ? null : "stable";
}

/** The flip of blue-green in its smallest form, without index and queue. */
export const switchMachine = {
  kind: "switch",
  start: newSwitch,
  step(before, event) {
    const { state: saga, orders, notes } = stepSaga(before.saga, event);
    return { state: saga === before.saga ? before : { ...before, saga }, orders, notes };
  },
  broken: ({ saga }) => brokenSaga(saga),
  isFinal: ({ saga }) => isSagaFinal(saga),
  cause: ({ saga }) => saga.cause,
} satisfies Machine<SwitchPlan, Switch, SagaEvent>;
