import type { ServingArm } from "../arm.ts";
import { isEntryGate } from "../judge/gates.ts";
import type { SagaStep } from "../process/saga.ts";
import type { Task } from "../process/order.ts";
import { ask, compare, publish } from "../rollout/order.ts";
import { BP_NONE } from "../unit.ts";
import type { CutoverOrder } from "./order.ts";
import type { CutoverPlan } from "./plan.ts";

/** One step of a cutover: which services have it, what it moves, what it orders on the way out and on the way back. */
export interface CutoverStep {
  readonly name: string;
  /** What it is for, to a person who reads the plan. */
  readonly does: string;
  readonly side: SagaStep["side"];
  /** Whether a service has it. */
  readonly isOf: (plan: CutoverPlan) => boolean;
  readonly apply: (plan: CutoverPlan) => Task;
  /** Absent: it changes nothing that would have to be taken back. */
  readonly undo?: (plan: CutoverPlan) => Task;
}

/** Longest time for a product to say that it does what it was told. */
const READ_BACK_MS = 10_000;
/** Leave to act lasts seconds; a purge and a consumer's last message may take a while. */
const SETTLED_MS = 30_000;
/** On the way back: whoever has lost its leave settles nothing any more, and leaves last this long. */
const GIVEN_UP_MS = 5_000;
/** A thousand questions at a rate that a cold arm bears. */
const PRIMED_MS = 120_000;

type TaskOf<Work> = Work extends CutoverOrder ? Pick<Work, "port" | "verb" | "args"> : never;
const within = (withinMs: number, task: TaskOf<CutoverOrder>): Task => ({ ...task, withinMs });

const checkIndex = (arm: ServingArm) => within(READ_BACK_MS, { port: "index", verb: "check", args: { arm } });
const flipIndex = (to: ServingArm) => within(READ_BACK_MS, { port: "index", verb: "flip", args: { to } });
const moveConsumers = (to: ServingArm) => {
  const withinMs = to === "stable" ? GIVEN_UP_MS : SETTLED_MS;
  return within(withinMs, { port: "queue", verb: "move-consumers", args: { to } });
};
const switchProducers = (to: ServingArm) =>
  within(READ_BACK_MS, { port: "queue", verb: "switch-producers", args: { to } });
const purge = (arm: ServingArm) => within(SETTLED_MS, { port: "cache", verb: "purge", args: { arm } });
const moveGrant = (to: ServingArm) => within(SETTLED_MS, { port: "grant", verb: "move", args: { to } });
const unfreeze = within(READ_BACK_MS, { port: "grant", verb: "unfreeze", args: {} });

/** The freeze lifts itself a step's budget after the cutover has given up, never before. */
function freeze({ cutover }: CutoverPlan): Task {
  const forMs = (cutover.freezeMs ?? 0) + cutover.stepWithinMs;
  return within(SETTLED_MS, { port: "grant", verb: "freeze", args: { forMs } });
}

const hasIndex = ({ cutover }: CutoverPlan) => cutover.index !== null;
const hasQueue = ({ cutover }: CutoverPlan) => cutover.queue !== null;
const hasCache = ({ cutover }: CutoverPlan) => cutover.cache !== null;
const hasEffects = ({ cutover }: CutoverPlan) => cutover.freezeMs !== null;
const isProbed = ({ probes }: CutoverPlan) => probes !== null;
const isCompared = ({ gates }: CutoverPlan) => gates.some(({ gate }) => isEntryGate(gate));

/** The most that can be asked of a service. */
function auditOf(plan: CutoverPlan): Task {
  if (isProbed(plan)) return ask({ tier: "full", extraRepeats: 0 });
  return hasIndex(plan) ? checkIndex("candidate") : compare();
}

/**
 * The proven order of a cutover: what only reads moves before what writes, nobody acts while effects change hands, and
 * each step is read back before the next. The way back is the same list from its end.
 */
const CUTOVER_STEPS: readonly CutoverStep[] = [
  {
    name: "compare-identity",
    does: "both arms say what they are, and differ only where the document says so",
    side: null,
    isOf: isCompared,
    apply: () => compare(),
  },
  {
    name: "check-index",
    does: "the candidate's index is complete, stamped and made for the same metric and analyzer",
    side: null,
    isOf: hasIndex,
    apply: () => checkIndex("candidate"),
  },
  {
    name: "ask-questions",
    does: "the gold questions are answered as well as by stable, and the candidate is warm",
    side: null,
    isOf: isProbed,
    apply: () => ask({ tier: "full", extraRepeats: 0 }),
  },
  {
    name: "clear-cache",
    does: "nothing is cached under the candidate's namespace, of an earlier try or of this one once it is back",
    side: null,
    isOf: hasCache,
    apply: () => purge("candidate"),
    // After users are back: while the candidate answers them, its namespace fills again.
    undo: () => purge("candidate"),
  },
  {
    name: "freeze-writes",
    does: "no effect is begun; what is queued is finished; it lifts itself",
    side: null,
    isOf: hasEffects,
    apply: freeze,
    undo: () => unfreeze,
  },
  {
    name: "drain-queue",
    does: "stable's consumer has settled everything up to the end of its queue",
    side: null,
    isOf: hasQueue,
    apply: () => within(SETTLED_MS, { port: "queue", verb: "drain", args: { arm: "stable" } }),
  },
  {
    name: "swap-index",
    does: "the public name points to the candidate's index, read back through the name",
    side: "reads",
    isOf: hasIndex,
    apply: () => flipIndex("candidate"),
    undo: () => flipIndex("stable"),
  },
  {
    name: "move-consumers",
    does: "the candidate's consumer goes on exactly where stable's stopped",
    side: "writes",
    isOf: hasQueue,
    apply: () => moveConsumers("candidate"),
    undo: () => moveConsumers("stable"),
  },
  {
    name: "switch-producers",
    does: "producers write to the candidate's queue",
    side: "writes",
    isOf: hasQueue,
    apply: () => switchProducers("candidate"),
    undo: () => switchProducers("stable"),
  },
  {
    name: "flip-traffic",
    does: "the candidate serves every user",
    side: "writes",
    isOf: () => true,
    apply: () => publish({ candidateBp: BP_NONE, closed: [], arms: "swap", newEpoch: true }),
    undo: () => publish({ candidateBp: BP_NONE, closed: ["candidate"], arms: "both", newEpoch: true }),
  },
  {
    name: "move-effects",
    does: "the candidate alone may act on effects; stable's token is refused",
    side: "writes",
    isOf: hasEffects,
    apply: () => moveGrant("candidate"),
    undo: () => moveGrant("stable"),
  },
  {
    name: "purge-cache",
    does: "no answer of stable that users could still see is cached",
    side: null,
    isOf: hasCache,
    apply: () => purge("stable"),
  },
  {
    name: "unfreeze",
    does: "effects are begun again",
    side: null,
    isOf: hasEffects,
    apply: () => unfreeze,
    undo: freeze,
  },
  {
    name: "prime-cache",
    does: "the questions asked most are cached again",
    side: null,
    isOf: hasCache,
    apply: () => within(PRIMED_MS, { port: "cache", verb: "prime", args: { arm: "candidate" } }),
  },
  {
    name: "audit",
    does: "the candidate is asked again as users meet it, and stable is kept ready for the hold",
    side: null,
    isOf: (plan) => isCompared(plan) || isProbed(plan) || hasIndex(plan),
    apply: auditOf,
  },
];

/** The steps of a service, in order. */
export function stepsOf(plan: CutoverPlan): readonly CutoverStep[] {
  return CUTOVER_STEPS.filter(({ isOf }) => isOf(plan));
}

/** Those steps as a saga carries them out. The last one is held, whichever it is. */
export function sagaStepsOf(plan: CutoverPlan): readonly SagaStep[] {
  const steps = stepsOf(plan);
  return steps.map(({ name, side, apply, undo }, place) => ({
    name,
    side,
    apply: apply(plan),
    verify: null,
    undo: undo?.(plan) ?? null,
    budgetMs: plan.cutover.stepWithinMs,
    holdMs: place === steps.length - 1 ? plan.cutover.holdMs : 0,
  }));
}
