import { assert } from "../assert.ts";
import { gateLabel } from "../judge/setting.ts";
import { BP_NONE, type Bp, type EpochMs } from "../unit.ts";
import { overall, type Verdict } from "../verdict.ts";
import { orderId, type Unnumbered } from "../process/order.ts";
import { type NextShare, nextShare } from "./next-share.ts";
import { ask, compare, publish, type RolloutOrder } from "./order.ts";
import { type Cause, currentStage, type Rollout, verdictsInForce } from "./rollout.ts";

/** A decision: the rollout after the event and the work it asks for. Journal both before an order begins. */
export interface Decision {
  readonly state: Rollout;
  readonly orders: readonly RolloutOrder[];
}

/** Repetitions a second probe run adds before a person is asked (definitions.md §4). */
const EXTRA_REPEATS = 2;

export function stay(rollout: Rollout): Decision {
  return { state: rollout, orders: [] };
}

/** Asks for one piece of work and waits for it instead of what was awaited before, whose result is late from now on. */
export function order(rollout: Rollout, work: Unnumbered<RolloutOrder>): Decision {
  const { rolloutId, generation } = rollout.plan;
  const ordered: RolloutOrder = { ...work, id: orderId(rolloutId, generation, rollout.nextOrderIndex) };
  const state = { ...rollout, awaiting: [ordered], nextOrderIndex: rollout.nextOrderIndex + 1 };
  return { state, orders: [ordered] };
}

/** Orders a share for the current stage. `holdingSince` stays null until the data plane confirms it. */
function orderStageShare(rollout: Rollout, candidateBp: Bp, newEpoch: boolean): Decision {
  const state = { ...rollout, candidateBp, holdingSince: null, pausedAt: null, splitOrdered: true };
  const shadow = currentStage(rollout).kind === "shadow" ? ({ shadow: true } as const) : {};
  return order(state, publish({ candidateBp, closed: [], arms: "both", newEpoch, ...shadow }));
}

export function checkIdentity(rollout: Rollout): Decision {
  return order({ ...rollout, phase: "checking", holdingSince: null }, compare());
}

export function runProbes(rollout: Rollout): Decision {
  const stage = currentStage(rollout);
  assert(stage.kind === "probes", `probes run in a probe stage, not ${stage.kind}`);
  const extraRepeats = rollout.probeAttempts === 0 ? 0 : EXTRA_REPEATS;
  const state: Rollout = { ...rollout, phase: "probing", probeAttempts: rollout.probeAttempts + 1 };
  return order(state, ask({ tier: stage.tier, extraRepeats }));
}

/** Enters the first stage. */
export function enterFirst(rollout: Rollout): Decision {
  const first = nextShare(rollout, "first");
  assert(first !== null, "a plan has at least one stage");
  return enterStage(rollout, first);
}

function enterStage(rollout: Rollout, { stageIndex, candidateBp }: NextShare): Decision {
  const state: Rollout = { ...rollout, stageIndex, probeAttempts: 0, holdingSince: null, pausedAt: null, cause: null };
  if (candidateBp === null) return runProbes(state);
  return orderStageShare({ ...state, ...standingAt(rollout, stageIndex), phase: "progressing" }, candidateBp, false);
}

/** A share that a paced rollout stood at can be gone back to. */
function standingAt({ plan, stoodAt = [] }: Rollout, stageIndex: number): Pick<Rollout, "stoodAt"> {
  return plan.pace === undefined ? {} : { stoodAt: [...stoodAt, stageIndex] };
}

/** To the next stage, or to the end: the candidate becomes the stable arm in a new epoch. */
export function advance(rollout: Rollout): Decision {
  const isProven = overall(verdictsInForce(rollout)) === "pass";
  const { stageIndex, unprovenStages } = rollout;
  return moveOn(isProven ? rollout : { ...rollout, unprovenStages: [...unprovenStages, stageIndex] });
}

/** The same without a word about proof: where the bounds on harm hold without one, none was asked for. */
export function moveOn(state: Rollout): Decision {
  const next = nextShare(state, "on");
  if (next !== null) return enterStage(state, next);
  return order(
    { ...state, phase: "promoting" },
    publish({ candidateBp: BP_NONE, closed: [], arms: "swap", newEpoch: true }),
  );
}

/** Straight to the last stage, 100 % watched. */
export function advanceToFull(rollout: Rollout): Decision {
  const last = nextShare(rollout, "full");
  if (last === null || last.stageIndex === rollout.stageIndex) return advance(rollout);
  return enterStage({ ...rollout, unprovenStages: [...rollout.unprovenStages, rollout.stageIndex] }, last);
}

export function waitForPerson(rollout: Rollout, at: EpochMs, text: string, verdict: Verdict | null): Decision {
  const cause: Cause = {
    gate: verdict === null ? null : gateLabel(verdict),
    verdict,
    stageIndex: rollout.stageIndex,
    at,
    text,
  };
  return stay({ ...rollout, phase: "waiting", awaiting: [], cause });
}

/**
 * All traffic back to stable, whatever the state: needs no gate, no person and no healthy candidate (D-8). When nothing
 * was ever ordered there is nothing to take back and the rollout ends here.
 */
export function rollBack(rollout: Rollout, cause: Cause, ending: Rollout["ending"]): Decision {
  const state: Rollout = {
    ...rollout,
    phase: "rolling-back",
    paused: false,
    pausedAt: null,
    holdingSince: null,
    candidateBp: BP_NONE,
    cause,
    ending,
    endedAt: null,
    rollbackOrderedAt: cause.at,
  };
  if (!rollout.splitOrdered) return finish(state, ending, cause.at);
  return order(state, publish({ candidateBp: BP_NONE, closed: ["candidate"], arms: "both", newEpoch: true }));
}

/**
 * A gate failed. `onFail.to: previous-stage` gives the stage one more try from the share before it; a second failure of
 * the same stage goes to stable and freezes the rollout (RB-7, ST-13).
 */
export function failStage(rollout: Rollout, cause: Cause): Decision {
  const failures = (rollout.failuresByStage[rollout.stageIndex] ?? 0) + 1;
  const failuresByStage = { ...rollout.failuresByStage, [rollout.stageIndex]: failures };
  const counted: Rollout = { ...rollout, failuresByStage, frozen: failures >= 2 };
  const mayRetry = rollout.plan.onFail.to === "previous-stage" && failures === 1;
  const target = mayRetry ? nextShare(rollout, "back") : null;
  if (target === null || target.candidateBp === null || currentStage(rollout).kind === "probes")
    return rollBack(counted, cause, "rolled-back");
  const retreat: Rollout = {
    ...counted,
    phase: "retreating",
    stageIndex: target.stageIndex,
    cause,
    ...(rollout.plan.pace === undefined ? {} : { choice: null }),
    verdicts: [],
    evidenceGeneration: rollout.evidenceGeneration + 1,
  };
  return orderStageShare(retreat, target.candidateBp, true);
}

export function finish(
  rollout: Rollout,
  phase: "promoted" | Rollout["ending"] | "rollback-failed",
  at: EpochMs,
): Decision {
  return stay({ ...rollout, phase, awaiting: [], holdingSince: null, paused: false, pausedAt: null, endedAt: at });
}
