import { assert } from "../assert.ts";
import type { ServingArm } from "../arm.ts";
import type { HostedMachine } from "../process/machine.ts";
import {
  brokenSaga,
  isSagaFinal,
  newSaga,
  type Saga,
  type SagaEvent,
  type SagaPlan,
  stepInForce,
  stepSaga,
} from "../process/saga.ts";
import type { ByArm } from "../arm.ts";
import type { OrderDone } from "../process/order.ts";
import type { Manifest } from "../release/manifest.ts";
import { type EpochMs, epochMs } from "../unit.ts";
import type { CutoverPlan } from "./plan.ts";
import { sagaStepsOf } from "./steps.ts";

/** The whole state of one cutover, beside its plan. */
export interface Cutover {
  readonly plan: CutoverPlan;
  readonly saga: Saga;
  /** Since when nobody acts on effects, on the way out; null while they are acted on, and on the way back. */
  readonly frozenAt: EpochMs | null;
  /** What both arms said they are, when they were compared; null before, and where nothing compares them. */
  readonly pinned: ByArm<Manifest> | null;
}

/** An order that read what the arms are says it beside its verdicts. */
export type CutoverEvent = SagaEvent | (OrderDone & { readonly pinned: ByArm<Manifest> });

function newCutover(plan: CutoverPlan): Cutover {
  assert(plan.stages.length === 0, "a cutover climbs no shares");
  const { rolloutId: processId, generation, cutover } = plan;
  const sagaPlan: SagaPlan = { processId, generation, epoch: cutover.fromEpoch, steps: sagaStepsOf(plan) };
  return { plan, saga: newSaga(sagaPlan), frozenAt: null, pinned: null };
}

function stepCutover(before: Cutover, event: CutoverEvent) {
  const { state: saga, orders, notes } = stepSaga(before.saga, overdueOf(before, event) ?? event);
  if (saga === before.saga) return { state: before, orders, notes };
  // An absence is no time held, and effects are frozen all the same: only a clock that was set moves the freeze.
  if (event.kind === "clock-moved") {
    const frozenAt = before.frozenAt === null ? null : epochMs(before.frozenAt + event.byMs);
    return { state: { ...before, saga, frozenAt }, orders, notes };
  }
  const pinned = before.pinned ?? ("pinned" in event ? event.pinned : null);
  return { state: { ...before, saga, frozenAt: frozenAtOf(before, saga, event.at), pinned }, orders, notes };
}

/** A freeze has a deadline: what is not through by then goes back, where effects are acted on again. */
function overdueOf({ plan, frozenAt }: Cutover, event: CutoverEvent): SagaEvent | null {
  const { freezeMs } = plan.cutover;
  const isLook = event.kind === "tick" || event.kind === "controller-restarted";
  if (!isLook || frozenAt === null || freezeMs === null || event.at - frozenAt < freezeMs) return null;
  const limit = `${freezeMs / 1_000} s`;
  return { kind: "hindered", at: event.at, reason: `effects were frozen for longer than ${limit}` };
}

/** A freeze begins with its first order, because that one may have taken effect, and ends when its lifting is done. */
function frozenAtOf({ frozenAt, plan }: Cutover, saga: Saga, at: EpochMs): EpochMs | null {
  if (plan.cutover.freezeMs === null || saga.phase === "undoing" || isSagaFinal(saga)) return null;
  const place = saga.plan.steps.findIndex(({ name }) => name === "freeze-writes");
  const lifted = saga.plan.steps.findIndex(({ name }) => name === "unfreeze");
  return saga.at >= place && saga.at <= lifted ? (frozenAt ?? at) : null;
}

/** The arm that serves everybody, as far as it was read back; null while users are being moved. */
export function servesNow({ saga }: Pick<Cutover, "saga">): ServingArm | null {
  if (saga.phase === "pending" || saga.phase === "returned") return "stable";
  const flip = saga.plan.steps.findIndex(({ name }) => name === "flip-traffic");
  if (saga.at === flip && saga.phase !== "holding" && saga.phase !== "done") return null;
  return saga.at < flip ? "stable" : "candidate";
}

/** Blue-green: index, queue, traffic, effects and cache from one arm to the other as one saga, and back so too. */
export const cutoverMachine = {
  kind: "cutover",
  schema: 2,
  start: newCutover,
  step: stepCutover,
  broken: ({ saga, frozenAt, plan }) => [
    ...brokenSaga(saga),
    ...(frozenAt === null || plan.cutover.freezeMs !== null ? [] : ["only a service with effects is frozen"]),
  ],
  isFinal: ({ saga }) => isSagaFinal(saga),
  cause: ({ saga }) => saga.cause,
  about: ({ plan, saga }) => ({
    processId: plan.rolloutId,
    generation: plan.generation,
    service: plan.service,
    plan,
    isPending: saga.phase === "pending",
    awaiting: saga.awaiting,
  }),
} satisfies HostedMachine<CutoverPlan, Cutover, CutoverEvent>;

/** The step in force by its name; null before the first one and after the last. */
export function stepName({ saga }: Pick<Cutover, "saga">): string | null {
  return saga.phase === "pending" || isSagaFinal(saga) ? null : stepInForce(saga).name;
}
