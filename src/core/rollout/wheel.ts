import { assert } from "../assert.ts";
import type { UnitView } from "../by-unit/unit-evidence.ts";
import { type Evidence, isHarmProven, judgeTraffic, restartEvidence } from "../judge/engine.ts";
import type { StageView } from "../judge/block.ts";
import type { GateSetting } from "../judge/setting.ts";
import { gateOrder } from "../judge/gates.ts";
import { holdMsOf } from "../stage/share.ts";
import type { EpochMs } from "../unit.ts";
import type { Verdict } from "../verdict.ts";
import type { RolloutEvent } from "./event.ts";
import { rolloutMachine } from "./machine.ts";
import type { RolloutNote } from "./note.ts";
import type { RolloutOrder } from "./order.ts";
import { currentStage, heldMs, type Rollout } from "./rollout.ts";
import { chooseShare } from "../pace/choose-share.ts";
import { NO_TRAFFIC, type TrafficRate } from "../pace/traffic-rate.ts";

/** What is known of the traffic of one try. On a retreat all of it begins afresh, and nothing besides it does. */
export interface Watched {
  readonly evidence: Evidence;
  /** The rollout's evidenceGeneration this evidence belongs to. */
  readonly generation: number;
  /** Newest document of the try before this one, 0 in the first try: its late windows are counted and not judged. */
  readonly judgedAfterEpoch: number;
  /** How much traffic there is; absent in what the version before stored. */
  readonly rate?: TrafficRate;
}

/** Whether a whole verdict is due although no fuse has fired; what it costs decides how often that is. */
export type Cadence = (view: StageView) => boolean;

/** A rollout after an event, with the evidence it goes on with, the work it asks for and what to tell. */
export interface Turn<Seen extends Watched> {
  readonly rollout: Rollout;
  readonly seen: Seen;
  readonly orders: readonly RolloutOrder[];
  readonly notes: readonly RolloutNote[];
}

/** What gates may know of the stage at a moment. */
function stageView(rollout: Rollout, at: EpochMs, units: UnitView | undefined): StageView {
  const stage = currentStage(rollout);
  const { kind } = stage;
  const { candidateBp, plan } = rollout;
  return {
    kind,
    candidateBp,
    heldMs: heldMs(rollout, at),
    holdMs: holdMsOf(stage),
    usersNamedBy: plan.identity.stickyBy,
    ...(units === undefined ? {} : { units }),
  };
}

/**
 * The verdicts on evidence, or null when nothing is said now: harm speaks at once, everything else when the cadence
 * says so. `beside` are verdicts that were read elsewhere, such as identity and probes; one of them that fails is harm
 * too.
 */
export function judgeWhenDue(
  evidence: Evidence,
  view: StageView,
  gates: readonly GateSetting[],
  cadence: Cadence,
  beside: readonly Verdict[] = [],
): readonly Verdict[] | null {
  const hasFailed = beside.some(({ kind }) => kind === "fail");
  if (!hasFailed && !cadence(view) && !isHarmProven(evidence, view, gates)) return null;
  const verdicts = [...judgeTraffic(evidence, view, gates), ...beside];
  return verdicts.sort((a, b) => gateOrder(a.gate) - gateOrder(b.gate));
}

/**
 * Looks at what was seen; the event to take next, or null when nothing is to be decided. `units` begin
 * and end with the try, as its evidence does; `beside` is what was read elsewhere and holds.
 */
export function look(
  rollout: Rollout,
  { evidence, rate = NO_TRAFFIC }: Watched,
  at: EpochMs,
  cadence: Cadence,
  units?: UnitView,
  beside: readonly Verdict[] = [],
): Extract<RolloutEvent, { kind: "judged" }> | null {
  const { phase, stageIndex, plan } = rollout;
  // Before the first share nothing of the candidate's was served, so there is nothing to judge.
  if (phase === "pending" || phase === "checking") return null;
  const view = stageView(rollout, at, units);
  const verdicts = judgeWhenDue(evidence, view, plan.gates, cadence, beside);
  if (verdicts === null) return null;
  const choice = chooseShare(rollout, { evidence, rate }, at, view, verdicts);
  const alone = (evidence.answeredAlone ?? 0) > 0 ? { hasAnsweredAlone: true } : {};
  return { kind: "judged", at, stageIndex, verdicts, ...alone, ...(choice === null ? {} : { choice }) };
}

/**
 * One turn of the wheel: the reducer's answer to an event, checked, with fresh evidence where it began a second try.
 * Whoever calls it commits the turn before its orders begin. Throws on a broken invariant: that is our bug.
 * @param epoch of the document in force, 0 before the first: gateways report under it for a moment after a retreat
 */
export function turn<Seen extends Watched>(
  before: Rollout,
  seen: Seen,
  event: RolloutEvent,
  epoch: number,
): Turn<Seen> {
  const { state, orders, notes } = rolloutMachine.step(before, event);
  const broken = rolloutMachine.broken(state);
  assert(broken.length === 0, `${state.plan.rolloutId} after ${event.kind}: ${broken.join("; ")}`);
  const isFresh = state.evidenceGeneration === seen.generation;
  return { rollout: state, seen: isFresh ? seen : secondTry(seen, state, epoch), orders, notes };
}

function secondTry<Seen extends Watched>(seen: Seen, { plan, evidenceGeneration }: Rollout, epoch: number): Seen {
  const evidence = restartEvidence(seen.evidence, plan.gates);
  return { ...seen, evidence, generation: evidenceGeneration, judgedAfterEpoch: epoch };
}
