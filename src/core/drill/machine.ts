import { assert } from "../assert.ts";
import type { HostedMachine, Next } from "../process/machine.ts";
import { brokenSaga, isSagaFinal, newSaga, type Saga, type SagaEvent, stepInForce, stepSaga } from "../process/saga.ts";
import type { Note } from "../process/note.ts";
import type { EpochMs } from "../unit.ts";
import type { ByArm } from "../arm.ts";
import type { OrderDone } from "../process/order.ts";
import type { Manifest } from "../release/manifest.ts";
import type { DrillBaseline, DrillInForce, DrillPlan } from "./plan.ts";
import { areWeights, holdsFault, placesOut, sagaSteps, stepsHome, stepsOut } from "./steps.ts";

/** The whole state of one drill, beside its plan: the way out, and the way home once there is one. */
export interface Drill {
  readonly plan: DrillPlan;
  readonly consent: DrillConsent;
  readonly out: Saga;
  readonly home: Saga | null;
  /** What the evacuated region (stable) and the one that takes over (candidate) stated at the start; null before. */
  readonly pinned: ByArm<Manifest> | null;
  readonly baseline: DrillBaseline;
  /** When the first order was given that may change anything; null while checks alone were asked. */
  readonly decidedAt: EpochMs | null;
  /** The region that took over had an incident, so the way home is one way. */
  readonly hasIncident: boolean;
  /** When users were first ordered away: from here on they come home by the way home alone. */
  readonly evacuatedAt: EpochMs | null;
  /** Why it is not as planned; null while it is. */
  readonly cause: { readonly text: string; readonly at: EpochMs } | null;
}

/** Who asked for a drill, and who said yes. */
interface DrillConsent {
  readonly by: string | null;
  /** It begins no sooner; null: as soon as it may. */
  readonly notBefore: EpochMs | null;
  readonly approvedBy: readonly string[];
}

/** `resumed`: a person lets a region that stayed evacuated try its way home again. */
export type DrillEvent =
  | SagaEvent
  | (OrderDone & { readonly pinned: ByArm<Manifest> })
  /** The region that took over is not what it was: the drill yields. */
  | { readonly kind: "incident"; readonly at: EpochMs; readonly reason: string }
  | { readonly kind: "requested"; readonly at: EpochMs; readonly by: string; readonly notBefore: EpochMs | null }
  | { readonly kind: "approved"; readonly at: EpochMs; readonly by: string }
  | { readonly kind: "resumed"; readonly at: EpochMs; readonly by: string };

/**
 * checking: nothing was changed yet · leaving: writes and users are on their way out, or observed there · returning:
 * on the way home · succeeded: home, and everything passed · returned: home, not as planned · aborted: ended before
 * anybody left · away: the surviving region serves, a person decides · stuck: a step back failed.
 */
export type DrillPhase =
  | "pending"
  | "checking"
  | "leaving"
  | "returning"
  | "succeeded"
  | "returned"
  | "aborted"
  | "away"
  | "stuck";

type Decision = Next<Drill>;

function newDrill(plan: DrillPlan): Drill {
  assert(areWeights(plan.home.weightsBp), "the shares of the way home grow to all users");
  const { drillId: processId, generation, fromEpoch: epoch } = plan;
  const out = newSaga({ processId, generation, epoch, steps: sagaSteps(stepsOut(plan), plan) });
  const baseline = { p95Ms: null, backlog: null };
  const consent: DrillConsent = { by: null, notBefore: null, approvedBy: [] };
  return {
    plan,
    consent,
    out,
    home: null,
    pinned: null,
    baseline,
    hasIncident: false,
    decidedAt: null,
    evacuatedAt: null,
    cause: null,
  };
}

/** One decision: on the way out, or on the way home. */
function stepDrill(before: Drill, event: DrillEvent): Decision {
  if (event.kind === "requested" || event.kind === "approved") return onConsent(before, event);
  if (event.kind === "started" && !mayBegin(before, event.at)) return stay(before);
  if (event.kind === "resumed") {
    if (phaseOf(before) !== "away") return stay(before);
    return goHome({ ...before, hasIncident: false }, event.at, [
      note(before, `${event.by} lets ${before.plan.evacuate} come home again`),
    ]);
  }
  if (event.kind === "incident") {
    if (before.home !== null || before.evacuatedAt === null || isSagaFinal(before.out)) return stay(before);
    return stepOut({ ...before, hasIncident: true }, { ...event, kind: "hindered" });
  }
  if (before.home !== null) return stepHome(before, before.home, event);
  return stepOut(before, event);
}

function stepOut(before: Drill, event: SagaEvent): Decision {
  const { state: out, orders, notes } = stepSaga(before.out, overdueOf(before, event) ?? event);
  if (out === before.out) return stay(before);
  const marked = mark({ ...before, ...measured(before, event), out }, event.at);
  const told = marked.evacuatedAt === null ? notes : notes.filter(({ text }) => !isEnd(text));
  if (!isSagaFinal(out) || out.phase === "stuck" || marked.evacuatedAt === null)
    return { state: marked, orders, notes: told };
  const why = out.phase === "done" ? `${marked.plan.survivor} has served under every check` : "nothing is frozen";
  return goHome(marked, event.at, [...told, note(marked, `${why}; ${marked.plan.evacuate} comes home by its checks`)]);
}

/** Persons that still have to say yes: others than the one who asked, each once. */
export function missingApprovals({ plan, consent }: Pick<Drill, "plan" | "consent">): number {
  return Math.max(0, plan.permission.approvals - consent.approvedBy.length);
}

/** Whether everybody has said yes and its time has come. Whoever hosts it knows what else stands in its way. */
export function mayBegin(drill: Pick<Drill, "plan" | "consent">, at: EpochMs): boolean {
  const { by, notBefore } = drill.consent;
  return by !== null && missingApprovals(drill) === 0 && at >= (notBefore ?? 0);
}

function onConsent(before: Drill, event: Extract<DrillEvent, { kind: "requested" | "approved" }>): Decision {
  const { consent, out } = before;
  if (out.phase !== "pending") return stay(before);
  if (event.kind === "requested") {
    if (consent.by !== null) return stay(before);
    const asked = { ...before, consent: { ...consent, by: event.by, notBefore: event.notBefore } };
    return { state: asked, orders: [], notes: [note(before, `${event.by} asks for it`)] };
  }
  if (event.by === consent.by || consent.approvedBy.includes(event.by)) return stay(before);
  const approved = { ...before, consent: { ...consent, approvedBy: [...consent.approvedBy, event.by] } };
  return { state: approved, orders: [], notes: [note(before, `${event.by} says yes`)] };
}

/** What a saga says of its end means something else where another one follows. */
const isEnd = (text: string): boolean => text === "everything is taken back" || text === "every step is done";

function stepHome(before: Drill, saga: Saga, event: SagaEvent): Decision {
  const { state: home, orders, notes } = stepSaga(saga, event);
  if (home === saga) return stay(before);
  const { evacuate, survivor } = before.plan;
  const told = notes.map((one) => (isEnd(one.text) ? note(before, endText(home, evacuate, survivor)) : one));
  return { state: { ...before, home, cause: home.cause ?? before.cause }, orders, notes: told };
}

function endText({ phase, plan: { steps } }: Saga, evacuate: string, survivor: string): string {
  const isOneWay = steps.every(({ name, undo }) => !name.startsWith("restore") || undo === null);
  if (phase === "returned" && isOneWay) return `${evacuate} has the users it had; nobody is sent to ${survivor} again`;
  if (phase === "done") return `${evacuate} serves its users and writes again`;
  return `${evacuate} stays evacuated; ${survivor} serves its users until a person decides`;
}

/** Its orders go on where those of the way before ended, so that none has an id or a token of an earlier one. */
function goHome(drill: Drill, at: EpochMs, notes: readonly Note[]): Decision {
  const { plan, out, home: before, hasIncident } = drill;
  const { drillId: processId, generation, fromEpoch: epoch } = plan;
  const fresh = newSaga({ processId, generation, epoch, steps: sagaSteps(stepsHome(plan, hasIncident), plan) });
  const { nextOrderIndex } = before ?? out;
  const { state: home, orders, notes: more } = stepSaga({ ...fresh, nextOrderIndex }, { kind: "started", at });
  return { state: { ...drill, home }, orders, notes: [...notes, ...more] };
}

/** What is not through in time is given up, with users where they are and writes lifted. @source DL-6, I16 */
function overdueOf({ out, plan, decidedAt }: Drill, event: SagaEvent): SagaEvent | null {
  const { cutoverMs } = plan.times;
  if (event.kind !== "tick" || decidedAt === null || event.at - decidedAt < cutoverMs) return null;
  if (out.at > placesOut(out.plan.steps).through) return null;
  return { kind: "hindered", at: event.at, reason: `the cutover was not through within ${cutoverMs / 1_000} s` };
}

/** What was measured before anything moved. */
function measured({ pinned, baseline }: Drill, event: SagaEvent): Pick<Drill, "pinned" | "baseline"> {
  if (event.kind !== "order-done" || event.order !== "region.baseline") return { pinned, baseline };
  const of = (name: string) => event.verdicts.find(({ gate }) => gate === name)?.estimate ?? null;
  const stated = "pinned" in event ? (event.pinned as ByArm<Manifest>) : pinned;
  return { pinned: stated, baseline: { p95Ms: of("p95_latency"), backlog: of("queue_backlog") } };
}

/** An order that was given may have taken effect, so its time counts from there. */
function mark(drill: Drill, at: EpochMs): Drill {
  const { out, decidedAt, evacuatedAt } = drill;
  const { decided, evacuated } = placesOut(out.plan.steps);
  const isBegun = (place: number) => out.phase === "applying" && out.at >= place;
  return {
    ...drill,
    decidedAt: decidedAt ?? (isBegun(decided) ? at : null),
    evacuatedAt: evacuatedAt ?? (isBegun(evacuated) ? at : null),
    cause: out.cause ?? drill.cause,
  };
}

/** Where a drill stands. */
export function phaseOf({
  out,
  home,
  decidedAt,
  evacuatedAt,
}: Pick<Drill, "out" | "home" | "decidedAt" | "evacuatedAt">): DrillPhase {
  if (home !== null) {
    if (home.phase === "done") return out.phase === "done" ? "succeeded" : "returned";
    if (home.phase === "returned") return "away";
    return home.phase === "stuck" ? "stuck" : "returning";
  }
  if (out.phase === "pending" || out.phase === "stuck") return out.phase;
  if (out.phase === "returned" && evacuatedAt === null) return "aborted";
  return decidedAt === null ? "checking" : "leaving";
}

/** The saga in force. */
export function sagaOf({ out, home }: Pick<Drill, "out" | "home">): Saga {
  return home ?? out;
}

/** The step in force by its name; null before the first one and after the last. */
export function drillStepName(drill: Pick<Drill, "out" | "home">): string | null {
  const saga = sagaOf(drill);
  return saga.phase === "pending" || isSagaFinal(saga) ? null : stepInForce(saga).name;
}

/** Whether the fault of its plan is to go on. One that nobody renews ends by itself. */
export function isFaultHeld({ out, home }: Pick<Drill, "out" | "home">): boolean {
  const saga = home ?? out;
  if (isSagaFinal(saga) || saga.phase === "pending" || saga.phase === "undoing") return false;
  return holdsFault(home === null ? "out" : "home", saga.plan.steps, saga.at);
}

const FINAL: readonly DrillPhase[] = ["succeeded", "returned", "aborted", "away", "stuck"];

/** A region is left, another one takes its users and writes, and both go back, each step read back. */
export const drillMachine = {
  kind: "drill",
  schema: 1,
  start: newDrill,
  step: stepDrill,
  broken: ({ out, home, evacuatedAt, decidedAt }) => [
    ...brokenSaga(out),
    ...(home === null ? [] : brokenSaga(home)),
    ...(home === null || evacuatedAt !== null ? [] : ["only who left comes home"]),
    ...(home === null || isSagaFinal(out) ? [] : ["one way is gone at a time"]),
    ...(evacuatedAt === null || decidedAt !== null ? [] : ["users leave after the decision"]),
  ],
  isFinal: (drill) => FINAL.includes(phaseOf(drill)),
  cause: ({ cause }) => cause,
  about: (drill) => ({
    processId: drill.plan.drillId,
    generation: drill.plan.generation,
    service: drill.plan.service,
    plan: { ...drill.plan, baseline: drill.baseline },
    isPending: drill.out.phase === "pending",
    awaiting: sagaOf(drill).awaiting,
  }),
} satisfies HostedMachine<DrillInForce, Drill, DrillEvent>;

function note({ plan }: Pick<Drill, "plan">, text: string): Note {
  return { type: "note", rollout: plan.drillId, text };
}

function stay(state: Drill): Decision {
  return { state, orders: [], notes: [] };
}
