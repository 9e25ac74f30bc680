import type { Task } from "../process/order.ts";
import type { SagaStep } from "../process/saga.ts";
import { BP_ALL, BP_NONE, type Bp } from "../unit.ts";
import { CHECKS, type CheckName } from "./checks.ts";
import { noticedBy } from "./fault.ts";
import type { DrillOrder } from "./order.ts";
import type { DrillPlan } from "./plan.ts";

/** One step of a drill: what it orders, and what takes it back. */
export interface DrillStep {
  readonly name: string;
  /** What it is for, to a person who reads the plan. */
  readonly does: string;
  readonly side: SagaStep["side"];
  readonly apply: Task;
  /** Null: it changes nothing that this way takes back. */
  readonly undo: Task | null;
}

/** Longest time for a product to say that it does what it was told. */
const READ_BACK_MS = 10_000;
/** Leave to act lasts seconds; a last effect may take a while. */
const SETTLED_MS = 15_000;
/** Longest time until a check has to have noticed what was broken. */
const NOTICE_MS = 20_000;
/** Beside the time that is looked at. */
const LOOK_SPARE_MS = 15_000;

type TaskOf<Work> = Work extends DrillOrder ? Pick<Work, "port" | "verb" | "args"> : never;
const within = (withinMs: number, task: TaskOf<DrillOrder>): Task => ({ ...task, withinMs });

const check = (name: CheckName, of: readonly string[], since: "start" | "end") =>
  within(READ_BACK_MS, { port: "region", verb: "check", args: { check: name, of: [...of], since } });
const promote = (to: string) => within(SETTLED_MS, { port: "region", verb: "promote", args: { to } });
const unfreeze = within(READ_BACK_MS, { port: "region", verb: "unfreeze", args: {} });
const route = (region: string, ownBp: Bp, isConfirmed: boolean) =>
  within(READ_BACK_MS, { port: "region", verb: "route", args: { region, ownBp, isConfirmed } });

/** The freeze lifts itself a step's budget after the drill has given up, never before. */
function freeze({ times }: DrillPlan): Task {
  return within(SETTLED_MS, { port: "region", verb: "freeze", args: { forMs: times.cutoverMs + times.stepWithinMs } });
}

function observe({ checks, survivor, evacuate }: DrillPlan, region: string, forMs: number): Task {
  const against = region === survivor ? evacuate : survivor;
  const args = { checks: [...checks.live], region, against, forMs };
  return within(forMs + LOOK_SPARE_MS, { port: "region", verb: "observe", args });
}

const reads = (name: string, does: string, apply: Task): DrillStep => ({ name, does, side: null, apply, undo: null });

/** Writes stop, move and go on; the way back is the same three from their end. */
function moveWrites(plan: DrillPlan, to: string, back: string | null, suffix: string): readonly DrillStep[] {
  const takesBack = back !== null;
  const promoted: DrillStep = {
    name: `promote${suffix}`,
    does: `${to} alone begins effects and emits webhooks; the token of every other region is refused`,
    side: "writes",
    apply: promote(to),
    undo: back === null ? null : promote(back),
  };
  if (!plan.freezesWrites) return [promoted];
  return [
    freezeStep(plan, suffix),
    promoted,
    {
      name: `unfreeze${suffix}`,
      does: "effects are begun again, what was queued meanwhile first",
      side: null,
      apply: unfreeze,
      undo: takesBack ? freeze(plan) : null,
    },
  ];
}

function freezeStep(plan: DrillPlan, suffix: string): DrillStep {
  const does = "no effect is begun anywhere; what arrives is queued; it lifts itself";
  return { name: `freeze-writes${suffix}`, does, side: null, apply: freeze(plan), undo: unfreeze };
}

/** Name of the step that breaks something on purpose. */
const INJECT = "inject";

/** What is broken on purpose, and the check that has to notice it. */
function faultSteps(plan: DrillPlan): readonly DrillStep[] {
  const fault = plan.fault?.fault ?? null;
  if (fault === null) return [];
  const both = [plan.evacuate, plan.survivor];
  const name = noticedBy(fault);
  const injects: DrillStep = {
    name: INJECT,
    does: `${plan.evacuate} gets a ${fault.kind}, which ends by itself when it is not renewed`,
    side: null,
    apply: within(READ_BACK_MS, { port: "fault", verb: "apply", args: {} }),
    undo: within(READ_BACK_MS, { port: "fault", verb: "revert", args: {} }),
  };
  if (name === null) return [injects];
  const of = name === "contracts_equal" ? both : [plan.evacuate];
  const notice = within(NOTICE_MS, { port: "fault", verb: "notice", args: { check: name, of } });
  return [injects, reads("notice", `${name} does not pass, or nobody would notice such a fault`, notice)];
}

/** A region that is wrong is repaired before its users come home: building the index again ends a skew. */
const isSkew = ({ fault }: DrillPlan): boolean => fault?.fault?.kind === "skew";

/** Whether the fault is to last while this step is in force: it is renewed then, and nothing else keeps it alive. */
export function holdsFault(way: "out" | "home", steps: readonly Pick<DrillStep, "name">[], at: number): boolean {
  const place = (name: string) => steps.findIndex((step) => step.name === name);
  const begins = place(INJECT);
  if (way === "out") return begins >= 0 && at >= begins;
  const ends = place(begins >= 0 ? "rebuild-follower" : "repair");
  return at >= begins && at < ends;
}

/** Name of the step by which users leave the region: from here on only checks bring them back. */
const EVACUATE = "evacuate";
/** Steps that end the time in which the drill has to be through. */
const THROUGH = ["unfreeze", "promote"] as const;

/**
 * The way out: nothing moves before every check has passed, writes stop before users leave, exactly one region is
 * promoted. Taking it back lifts the freeze and nothing else: users come home by `stepsHome` alone.
 */
export function stepsOut(plan: DrillPlan): readonly DrillStep[] {
  const { evacuate, survivor, checks, times } = plan;
  const both = [evacuate, survivor];
  const writes = moveWrites(plan, survivor, null, "");
  const asked = plan.regions.map(({ name }) => name);
  return [
    ...checks.pre.map((name) => reads(name, CHECKS[name].asks, check(name, asked, "start"))),
    reads(
      "baseline",
      "what both regions state, and how long answers and queues are now",
      within(READ_BACK_MS, { port: "region", verb: "baseline", args: {} }),
    ),
    {
      name: "spread",
      does: "each region serves the users who arrive in it; nothing changes where they do already",
      side: "reads",
      apply: route(evacuate, BP_ALL, true),
      undo: null,
    },
    ...(isSkew(plan) ? [] : faultSteps(plan)),
    ...writes.filter(({ name }) => name === "freeze-writes"),
    {
      name: EVACUATE,
      does: `data planes send every user of ${evacuate} to the nearest region in service`,
      side: "reads",
      apply: route(evacuate, BP_NONE, false),
      undo: null,
    },
    reads(
      "adopt",
      "every data plane says that it serves so",
      within(READ_BACK_MS, { port: "region", verb: "adopted", args: {} }),
    ),
    ...writes.filter(({ name }) => name !== "freeze-writes"),
    reads("verify", `${survivor} still states the contract of the start`, check("index_hash", both.slice(1), "start")),
    reads("observe", `${survivor} serves under the live checks`, observe(plan, survivor, times.observeMs)),
  ];
}

/**
 * The way home: the region is made equal, is seen fit for the whole hysteresis, and gets its users back by shares, each
 * after its checks. Taken back, it is evacuated again, at once: hysteresis delays the way home and nothing else.
 * @param isOneWay the region that took over has an incident: nobody is sent to it again, and it need not be equal
 */
export function stepsHome(plan: DrillPlan, isOneWay = false): readonly DrillStep[] {
  const steps = allStepsHome(plan);
  if (!isOneWay) return steps;
  const names: readonly string[] = plan.checks.post;
  return steps
    .filter(({ name }) => !names.includes(name) && name !== INJECT && name !== "notice")
    .map((step) => (step.name.startsWith("freeze-writes") ? step : { ...step, undo: null }));
}

function allStepsHome(plan: DrillPlan): readonly DrillStep[] {
  const { evacuate, survivor, home, routing, times, checks } = plan;
  const both = [evacuate, survivor];
  const rebuild = within(times.rebuildMs, {
    port: "region",
    verb: "rebuild",
    args: { region: evacuate, like: survivor },
  });
  const purge = within(SETTLED_MS, { port: "region", verb: "purge", args: { region: evacuate } });
  const steady = within(routing.hysteresisMs + LOOK_SPARE_MS, {
    port: "region",
    verb: "steady",
    args: { region: evacuate, like: survivor, forMs: routing.hysteresisMs },
  });
  const stayAway = route(evacuate, BP_NONE, true);
  return [
    {
      // What was ordered on the way out and given up may have taken effect or not.
      name: "settle",
      does: `every user of ${evacuate} is served elsewhere, whatever the way out came to`,
      side: null,
      apply: stayAway,
      undo: stayAway,
    },
    ...(isSkew(plan) ? faultSteps(plan) : repairSteps(plan)),
    ...(home.rebuild || isSkew(plan)
      ? [reads("rebuild-follower", `${evacuate} builds its index from the artefact of ${survivor}`, rebuild)]
      : []),
    ...(home.purgeCache ? [reads("purge-cache", `nothing from before is cached in ${evacuate}`, purge)] : []),
    reads("steady", `${evacuate} is ready and states the same contract for the whole hysteresis`, steady),
    ...home.weightsBp.flatMap((share): readonly DrillStep[] => [
      {
        name: `restore-${share / 100}`,
        does: `${evacuate} serves ${share / 100} % of its own users again`,
        side: "reads",
        apply: route(evacuate, share, true),
        undo: stayAway,
      },
      reads(
        `observe-${share / 100}`,
        `${evacuate} serves them under the live checks`,
        observe(plan, evacuate, times.holdMs),
      ),
    ]),
    ...moveWrites(plan, evacuate, survivor, "-home"),
    ...checks.post.map((name) => reads(name, CHECKS[name].asks, check(name, both, "end"))),
  ];
}

function repairSteps(plan: DrillPlan): readonly DrillStep[] {
  if (!plan.fault?.fault) return [];
  const revert = within(READ_BACK_MS, { port: "fault", verb: "revert", args: {} });
  return [reads("repair", `nothing is broken on purpose in ${plan.evacuate} any more`, revert)];
}

/** Steps as a saga carries them out. */
export function sagaSteps(steps: readonly DrillStep[], { times }: DrillPlan): readonly SagaStep[] {
  return steps.map(({ name, side, apply, undo }) => ({
    name,
    side,
    apply,
    verify: null,
    undo,
    budgetMs: times.stepWithinMs,
    holdMs: 0,
  }));
}

/** Places of the step that is the decision, of the evacuation, and of the one with which the cutover is through. */
export function placesOut(steps: readonly Pick<DrillStep, "name">[]) {
  const place = (name: string) => steps.findIndex((step) => step.name === name);
  const through = THROUGH.map(place).find((found) => found >= 0) ?? steps.length - 1;
  const freezes = place("freeze-writes");
  return { decided: freezes >= 0 ? freezes : place(EVACUATE), evacuated: place(EVACUATE), through };
}

/** Every share of the way home ends with all users. */
export function areWeights(weightsBp: readonly Bp[]): boolean {
  return weightsBp.at(-1) === BP_ALL && weightsBp.every((share, at) => share > (weightsBp[at - 1] ?? BP_NONE));
}
