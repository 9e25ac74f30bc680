import { speaksIn } from "../judge/gates.ts";
import { isInForce, speaksFor } from "../judge/setting.ts";
import type { RolloutPlan, Stage } from "../stage/plan.ts";
import type { Bp, EpochMs } from "../unit.ts";
import { assert } from "../assert.ts";
import { BP_NONE } from "../unit.ts";
import type { Verdict } from "../verdict.ts";
import type { PaceChoice } from "../pace/pace-choice.ts";
import type { RolloutOrder } from "./order.ts";
import type { Phase } from "./phase.ts";

export { isFinal, isTakenBack, type Phase } from "./phase.ts";

/** Why a rollout ended or waits. `gate` is null when a person or a failed order decided. */
export interface Cause {
  readonly gate: string | null;
  readonly verdict: Verdict | null;
  readonly stageIndex: number;
  readonly at: EpochMs;
  readonly text: string;
  /** Where to look first when no gate decided; a gate's verdict says so itself. */
  readonly lookAt?: string;
}

/** Shape of a stored state and of its journal's entries. A new one migrates the one before: `stored-form.ts`. */
export const SCHEMA = 2;

/** The whole state of one rollout. Pure data: two equal rollouts given equal events stay equal. */
export interface Rollout {
  readonly schema: typeof SCHEMA;
  readonly plan: RolloutPlan;
  readonly phase: Phase;
  readonly stageIndex: number;
  /** Set while an operator has paused promotion. Fuses and rollback still act. */
  readonly paused: boolean;
  /** When the data plane confirmed the stage's share (or a check was last tried); moved forward by a pause's length. */
  readonly holdingSince: EpochMs | null;
  readonly pausedAt: EpochMs | null;
  /** Share last ordered. */
  readonly candidateBp: Bp;
  readonly nextOrderIndex: number;
  /** The orders whose results the phase waits for; the result of any other one is late and ignored. */
  readonly awaiting: readonly RolloutOrder[];
  /** True once any document of this rollout was ordered; until then there is nothing to take back. */
  readonly splitOrdered: boolean;
  /** Which end a running rollback leads to. */
  readonly ending: "rolled-back" | "aborted";
  /** Probe runs of the current stage so far; a second one adds repetitions before a person is asked. */
  readonly probeAttempts: number;
  /** Grows with every retreat: traffic evidence starts afresh for the second try, at half the error budget each. */
  readonly evidenceGeneration: number;
  /** How often each stage failed, by stage index. */
  readonly failuresByStage: Readonly<Record<number, number>>;
  /** True after a second failure at one stage: no retry without a new generation (ST-13). */
  readonly frozen: boolean;
  /** Latest verdict of each gate, in gate order. */
  readonly verdicts: readonly Verdict[];
  /** Stages passed by `onCap: proceed` or by an operator without proof. */
  readonly unprovenStages: readonly number[];
  /** Of a paced rollout: the share that evidence chose last, and the traffic stages it stood at. */
  readonly choice?: PaceChoice | null;
  readonly stoodAt?: readonly number[];
  readonly cause: Cause | null;
  readonly startedAt: EpochMs | null;
  readonly endedAt: EpochMs | null;
  /** When a controller took it up again last; absent while the first one carries it out. */
  readonly restartedAt?: EpochMs;
  /** Time of the order to roll back; the rollback deadline counts from it. */
  readonly rollbackOrderedAt: EpochMs | null;
}

/** A rollout that has just been accepted. */
export function newRollout(plan: RolloutPlan): Rollout {
  assert(plan.stages.length > 0, "a plan has at least one stage");
  return {
    plan,
    schema: SCHEMA,
    phase: "pending",
    stageIndex: 0,
    paused: false,
    holdingSince: null,
    pausedAt: null,
    candidateBp: BP_NONE,
    nextOrderIndex: 0,
    awaiting: [],
    splitOrdered: false,
    ending: "rolled-back",
    probeAttempts: 0,
    evidenceGeneration: 0,
    failuresByStage: {},
    frozen: false,
    verdicts: [],
    unprovenStages: [],
    cause: null,
    startedAt: null,
    endedAt: null,
    rollbackOrderedAt: null,
  };
}

export function currentStage(rollout: Rollout): Stage {
  const stage = rollout.plan.stages[rollout.stageIndex];
  assert(stage !== undefined, `stage ${rollout.stageIndex} of ${rollout.plan.stages.length}`);
  return stage;
}

/** Time the current share has been held, 0 before it was confirmed. A pause does not count. */
export function heldMs(rollout: Rollout, at: EpochMs): number {
  if (rollout.holdingSince === null) return 0;
  const until = rollout.pausedAt ?? at;
  return Math.max(0, until - rollout.holdingSince);
}

/** Verdicts that count at the stage in force: a gate that is no longer asked does not hold what comes after it. */
export function verdictsInForce(rollout: Rollout): readonly Verdict[] {
  const { plan, candidateBp, verdicts } = rollout;
  const { kind } = currentStage(rollout);
  const silent = plan.gates.filter((setting) => !isInForce(setting, candidateBp) || !speaksIn(setting.gate, kind));
  return verdicts.filter((verdict) => !silent.some((setting) => speaksFor(setting, verdict)));
}
