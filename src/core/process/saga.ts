import { assert } from "../assert.ts";
import { type EpochMs, epochMs } from "../unit.ts";
import type { Next } from "./machine.ts";
import type { Note } from "./note.ts";
import { awaitedBy, type Order, type OrderDone, type OrderFailed, orderId, type Task } from "./order.ts";

/** One step as data. What cannot be read back is not done, and what was begun is taken back. */
export interface SagaStep {
  readonly name: string;
  /** What it moves to the other arm; null: neither, such as a check or a freeze. */
  readonly side: "reads" | "writes" | null;
  readonly apply: Task;
  /** Reads back through another door than `apply` does by itself; null where that is enough. */
  readonly verify: Task | null;
  /** Takes it back, whether or not it took effect; null where it changes nothing. */
  readonly undo: Task | null;
  /** How long it may be tried again, each way, from its first order on. */
  readonly budgetMs: number;
  /** How long it is held, once it is read back, before the next one. */
  readonly holdMs: number;
}

export interface SagaPlan {
  readonly processId: string;
  readonly generation: number;
  /** Epochs of its orders lie above it and grow with every order. */
  readonly epoch: number;
  /** In the order of the way out, which moves reads before writes; the way back is this one from its end. */
  readonly steps: readonly SagaStep[];
}

/**
 * pending: accepted, not started · applying, verifying, holding: the step in force · done: every step is done ·
 * undoing: begun steps are taken back, the last one first · returned: all of them are · stuck: one could not be.
 */
type SagaPhase = "pending" | "applying" | "verifying" | "holding" | "undoing" | "done" | "returned" | "stuck";

/** The whole state of one saga. Steps 0 to `at` are begun and not taken back, but for `pending`. */
export interface Saga {
  readonly plan: SagaPlan;
  readonly phase: SagaPhase;
  readonly at: number;
  /** When the step in force, or its taking back, was first ordered; when it was read back, while it is held. */
  readonly since: EpochMs | null;
  /** When the last try of the step in force failed, until it is tried again; null while a try runs. */
  readonly failedAt: EpochMs | null;
  readonly awaiting: readonly Order[];
  readonly nextOrderIndex: number;
  /** The last moment that a host is known to have lived through it; null before the first. */
  readonly livedAt: EpochMs | null;
  /** Why it goes back or is stuck. */
  readonly cause: { readonly text: string; readonly at: EpochMs } | null;
}

export type SagaEvent =
  | { readonly kind: "started"; readonly at: EpochMs }
  | { readonly kind: "tick"; readonly at: EpochMs }
  /** The host's wall clock was set, or its machine slept: `at` is told by the clock after it. */
  | { readonly kind: "clock-moved"; readonly at: EpochMs; readonly byMs: number }
  /** Another host goes on with what the one before left. */
  | { readonly kind: "controller-restarted"; readonly at: EpochMs }
  | {
      readonly kind: "aborted";
      readonly at: EpochMs;
      readonly by: string;
      readonly reason: string;
      /** Highest epoch that was ordered by since, of whatever: what is taken back lies above it. Absent: its own. */
      readonly aboveEpoch?: number;
    }
  /** Something beside the step in force says that it cannot go on. */
  | { readonly kind: "hindered"; readonly at: EpochMs; readonly reason: string }
  | OrderDone
  | OrderFailed;

type Decision = Next<Saga>;

/** Pause before a step is tried again. */
const AGAIN_MS = 1_000;
/** A hold that goes on is told this often, because a host that dies loses what it lived through since. */
const HELD_TOLD_EVERY_MS = 30_000;

export function newSaga(plan: SagaPlan): Saga {
  assert(plan.steps.length > 0, "a saga has at least one step");
  const sides = plan.steps.map(({ side }) => side);
  const isReadsFirst = !sides.includes("writes") || sides.lastIndexOf("reads") < sides.indexOf("writes");
  assert(isReadsFirst, "a saga moves reads before writes, so that its way back moves writes before reads");
  const begun = { at: 0, since: null, failedAt: null, awaiting: [], nextOrderIndex: 0, livedAt: null, cause: null };
  return { plan, phase: "pending", ...begun };
}

export function isSagaFinal({ phase }: Pick<Saga, "phase">): boolean {
  return phase === "done" || phase === "returned" || phase === "stuck";
}

/** What must hold of every reachable saga; a list of broken rules, empty when all hold. */
export function brokenSaga(saga: Saga): readonly string[] {
  const { phase, at, plan, awaiting, failedAt, cause } = saga;
  const isAtWork = phase === "applying" || phase === "verifying" || phase === "undoing";
  const rules: readonly (readonly [holds: boolean, rule: string])[] = [
    [at >= 0 && at < plan.steps.length, "the step in force is one of the plan's"],
    [awaiting.length === (isAtWork && failedAt === null ? 1 : 0), "a try that runs is one order, nothing else is"],
    [failedAt === null || isAtWork, "only a step at work is tried again"],
    [(saga.since !== null) === (isAtWork || phase === "holding"), "a step in force has a time, and nothing else has"],
    [(phase !== "undoing" && phase !== "stuck") || cause !== null, "what goes back knows why"],
  ];
  return rules.filter(([holds]) => !holds).map(([, rule]) => rule);
}

/** Steps that were begun, may have changed something and are not taken back: what a person is told of a stuck saga. */
export function stillOut(saga: Saga): readonly string[] {
  if (saga.phase === "pending" || saga.phase === "returned") return [];
  return saga.plan.steps.slice(0, saga.at + 1).flatMap(({ name, undo }) => (undo === null ? [] : [name]));
}

/**
 * One decision. A person's abort comes first and goes back from every state; a failure goes back too, once the step's
 * budget is over. A way back that fails stops where it is, because the steps before it rely on it, and says so.
 */
export function stepSaga(saga: Saga, event: SagaEvent): Decision {
  const { state, orders, notes } = decide(saga, event);
  return { state: state === saga ? saga : { ...state, livedAt: event.at }, orders, notes };
}

function decide(saga: Saga, event: SagaEvent): Decision {
  switch (event.kind) {
    case "started":
      return saga.phase === "pending" ? applyStep(saga, 0, event.at) : stay(saga);
    case "aborted":
      return onAbort(saga, event);
    case "hindered":
      return onHindered(saga, event);
    case "tick":
      return onTick(saga, event.at);
    case "clock-moved":
      return stay(moved(saga, event.byMs));
    case "controller-restarted":
      // Nobody can tell an absence from a clock that was set meanwhile, so neither counts.
      return saga.livedAt === null ? stay(saga) : stay(moved(saga, event.at - saga.livedAt));
    default: {
      const order = awaitedBy(saga.awaiting, event);
      if (order === null) return stay(saga);
      const left: Saga = { ...saga, awaiting: saga.awaiting.filter(({ id }) => id !== order.id) };
      const failure = failureOf(event);
      if (failure === null) return onDone(left, event.at);
      return onFailed(left, failure, event.at, isProvenWrong(event));
    }
  }
}

function onAbort(before: Saga, { at, by, reason, aboveEpoch = 0 }: Extract<SagaEvent, { kind: "aborted" }>): Decision {
  const epoch = Math.max(before.plan.epoch, aboveEpoch - before.nextOrderIndex);
  const saga = epoch === before.plan.epoch ? before : { ...before, plan: { ...before.plan, epoch } };
  const cause = { text: `aborted by ${by}${reason === "" ? "" : `: ${reason}`}`, at };
  if (saga.phase === "undoing" || saga.phase === "returned") return stay(before);
  if (saga.phase === "pending") return tell({ ...saga, phase: "returned", cause }, `${cause.text}; nothing was begun`);
  return goBack({ ...saga, cause }, at);
}

function onHindered(saga: Saga, { at, reason }: Extract<SagaEvent, { kind: "hindered" }>): Decision {
  if (saga.phase === "undoing" || saga.phase === "pending" || isSagaFinal(saga)) return stay(saga);
  return goBack({ ...saga, cause: { text: reason, at } }, at);
}

function onTick(saga: Saga, at: EpochMs): Decision {
  const { phase, since, failedAt } = saga;
  if (isSagaFinal(saga) || since === null) return stay(saga);
  if (failedAt !== null) return at - failedAt >= AGAIN_MS ? again(saga) : stay(saga);
  if (phase === "holding" && at - since >= stepInForce(saga).holdMs) return goOn(saga, at);
  if (phase === "holding") return stay(at - (saga.livedAt ?? since) >= HELD_TOLD_EVERY_MS ? { ...saga } : saga);
  // Whoever carries it out gives up sooner; that nothing is heard of it at all is a failure too.
  const isLate = at - since > stepInForce(saga).budgetMs + longestTry(saga);
  return isLate ? onFailed({ ...saga, awaiting: [] }, "nothing was heard of it", at) : stay(saga);
}

/** What is measured from a time moves with the clock; what tells when something happened stays. */
function moved(saga: Saga, byMs: number): Saga {
  const { since, failedAt } = saga;
  const by = (at: EpochMs | null) => (at === null ? null : epochMs(at + byMs));
  return since === null || byMs === 0 ? saga : { ...saga, since: by(since), failedAt: by(failedAt) };
}

function longestTry({ awaiting }: Saga): number {
  return Math.max(0, ...awaiting.map(({ withinMs }) => withinMs));
}

function onDone(saga: Saga, at: EpochMs): Decision {
  const { name, verify, holdMs } = stepInForce(saga);
  if (saga.phase === "undoing") return tellBefore(`${name} is taken back`, saga, undoStep(saga, saga.at - 1, at));
  if (saga.phase === "applying" && verify !== null) return order({ ...saga, phase: "verifying" }, verify);
  const told = `${name} is done and read back`;
  if (holdMs === 0) return tellBefore(told, saga, goOn(saga, at));
  return tell({ ...saga, phase: "holding", since: at }, `${told}; held for ${holdMs / 1_000} s`);
}

/** Tried again while the budget lasts; the outcome of a try that failed is unknown, so the step counts as begun. */
function onFailed(saga: Saga, text: string, at: EpochMs, isFinal = false): Decision {
  const { name, budgetMs } = stepInForce(saga);
  if (!isFinal && at - (saga.since ?? at) < budgetMs) return stay({ ...saga, failedAt: at });
  if (saga.phase === "undoing") {
    const stuck: Saga = { ...saga, phase: "stuck", since: null };
    const left = `still out: ${stillOut(stuck).join(", ")}`;
    const cause = { text: `${name} could not be taken back: ${text}; ${left}`, at };
    return tell({ ...stuck, cause }, cause.text);
  }
  return goBack({ ...saga, cause: { text: `${name} failed: ${text}`, at } }, at);
}

/** The step in force, or its taking back, from its beginning. */
function again(saga: Saga): Decision {
  const { name, apply, undo } = stepInForce(saga);
  if (saga.phase !== "undoing") return order({ ...saga, phase: "applying" }, apply, undo);
  assert(undo !== null, `${name} changes nothing, so nothing of it is taken back`);
  return order(saga, undo);
}

function goOn(saga: Saga, at: EpochMs): Decision {
  const next = saga.at + 1;
  if (next < saga.plan.steps.length) return applyStep(saga, next, at);
  return tell({ ...saga, phase: "done", since: null }, "every step is done");
}

function applyStep(saga: Saga, place: number, at: EpochMs): Decision {
  const begun: Saga = { ...saga, phase: "applying", at: place, since: at };
  const { apply, undo } = stepInForce(begun);
  return order(begun, apply, undo);
}

/** From the step in force, which may have taken effect, back to the first one. */
function goBack(saga: Saga, at: EpochMs): Decision {
  return tellBefore(`going back: ${saga.cause?.text}`, saga, undoStep(saga, saga.at, at));
}

/** Takes back the last step up to `place` that changes anything. */
function undoStep(saga: Saga, place: number, at: EpochMs): Decision {
  const index = saga.plan.steps.findLastIndex((step, of) => of <= place && step.undo !== null);
  const undo = saga.plan.steps[index]?.undo ?? null;
  if (undo !== null) return order({ ...saga, phase: "undoing", at: index, since: at }, undo);
  return tell(
    { ...saga, phase: "returned", at: 0, since: null, failedAt: null, awaiting: [] },
    "everything is taken back",
  );
}

/** The step that is carried out, held or taken back now. */
export function stepInForce(saga: Saga): SagaStep {
  const step = saga.plan.steps[saga.at];
  assert(step !== undefined, `step ${saga.at} of ${saga.plan.steps.length}`);
  return step;
}

/** What was not confirmed is a failure, whatever it is called: a verdict that did not pass too. */
function failureOf(event: OrderDone | OrderFailed): string | null {
  if (event.kind === "order-failed") return `${event.order} (${event.code}): ${event.message}`;
  return event.verdicts.find(({ kind }) => kind !== "pass")?.reason ?? null;
}

/** It was measured and is wrong: to measure it again would only lengthen a freeze. */
function isProvenWrong(event: OrderDone | OrderFailed): boolean {
  return event.kind === "order-done" && event.verdicts.some(({ kind }) => kind === "fail");
}

/** Orders one thing instead of what was awaited; a later order has a higher epoch, so an earlier one cannot undo it. */
function order(saga: Saga, task: Task, undo: Task | null = null): Decision {
  const { plan, nextOrderIndex } = saga;
  const id = orderId(plan.processId, plan.generation, nextOrderIndex);
  const epoch = plan.epoch + nextOrderIndex + 1;
  const ordered: Order = { ...task, id, epoch, ...(undo === null ? {} : { undo }) };
  return {
    state: { ...saga, failedAt: null, awaiting: [ordered], nextOrderIndex: nextOrderIndex + 1 },
    orders: [ordered],
    notes: [],
  };
}

function stay(state: Saga): Decision {
  return { state, orders: [], notes: [] };
}

function noteOf({ plan }: Saga, text: string): Note {
  return { type: "note", rollout: plan.processId, text };
}

function tell(state: Saga, text: string): Decision {
  return { state, orders: [], notes: [noteOf(state, text)] };
}

function tellBefore(text: string, saga: Saga, next: Decision): Decision {
  return { ...next, notes: [noteOf(saga, text), ...next.notes] };
}
