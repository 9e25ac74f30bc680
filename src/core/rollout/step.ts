import { unreachable } from "../assert.ts";
import { gateOrder, isEntryGate } from "../judge/gates.ts";
import { gateLabel } from "../judge/setting.ts";
import { overall, type Verdict } from "../verdict.ts";
import { onCommand } from "./command.ts";
import type { Effect } from "./effect.ts";
import type { RolloutEvent } from "./event.ts";
import { onClockMoved, onRestart } from "./lived-time.ts";
import { type Cause, currentStage, heldMs, isFinal, type Rollout, verdictsInForce } from "./rollout.ts";
import {
  advance,
  checkIdentity,
  enterFirst,
  failStage,
  finish,
  moveOn,
  type Next,
  order,
  rollBack,
  runProbes,
  stay,
  waitForPerson,
} from "./transition.ts";
import { unprovenGates } from "./unproven.ts";

/** How long after an unanswered identity check the next one is tried. */
const RECHECK_MS = 5_000;

type Judged = Extract<RolloutEvent, { kind: "judged" }>;
type Succeeded = Extract<RolloutEvent, { kind: "effect-succeeded" }>;
type Failed = Extract<RolloutEvent, { kind: "effect-failed" }>;

/**
 * One decision: same rollout and same event give the same answer. The order of cases is authority: operator first, then
 * safety, then progress. The host journals the answer before it runs an effect.
 */
export function step(rollout: Rollout, event: RolloutEvent): Next {
  if (event.kind === "commanded") return onCommand(rollout, event);
  if (isFinal(rollout)) return stay(rollout);
  switch (event.kind) {
    case "started":
      return rollout.phase === "pending" ? start({ ...rollout, startedAt: event.at }) : stay(rollout);
    case "judged":
      return onJudged(rollout, event);
    case "effect-succeeded":
      return event.effectId === rollout.awaiting?.id ? onSuccess(rollout, event) : stay(rollout);
    case "effect-failed": {
      const { awaiting } = rollout;
      return event.effectId === awaiting?.id ? onFailure(rollout, awaiting, event) : stay(rollout);
    }
    case "controller-restarted":
      return stay(onRestart(rollout, event));
    case "clock-moved":
      return stay(onClockMoved(rollout, event));
    case "tick": {
      const isDue = rollout.phase === "checking" && rollout.awaiting === null;
      return isDue && heldMs(rollout, event.at) >= RECHECK_MS ? checkIdentity(rollout) : stay(rollout);
    }
    default:
      return unreachable(event);
  }
}

function start(rollout: Rollout): Next {
  const comparesIdentity = rollout.plan.gates.some(({ gate }) => isEntryGate(gate));
  return comparesIdentity ? checkIdentity(rollout) : enterFirst(rollout);
}

/** Latest verdict of each gate, new ones replacing old ones of the same gate and all its topics. */
function withVerdicts(rollout: Rollout, verdicts: readonly Verdict[]): Rollout {
  const replaced = new Set(verdicts.map(({ gate }) => gate));
  const kept = rollout.verdicts.filter(({ gate }) => !replaced.has(gate));
  const all = [...kept, ...verdicts].sort((a, b) => gateOrder(a.gate) - gateOrder(b.gate));
  return { ...rollout, verdicts: all };
}

/** The failed verdict that is the cause: the first in gate order. */
function firstFailure(rollout: Rollout, at: Cause["at"]): Cause | null {
  const verdict = rollout.verdicts.find((candidate) => candidate.kind === "fail");
  if (verdict === undefined) return null;
  return { gate: gateLabel(verdict), verdict, stageIndex: rollout.stageIndex, at, text: verdict.reason };
}

/**
 * What is still missing, as the sentence a person reads while the stage holds: the first of the verdicts asked for.
 * At a probe stage only what the probes said can be missing; users are not drawn there.
 */
function unproven(verdicts: readonly Verdict[]): { text: string; verdict: Verdict | null } {
  const verdict = verdicts.find((candidate) => candidate.kind !== "pass") ?? null;
  if (verdict === null) return { text: "unproven: a gate has not spoken yet", verdict };
  return { text: `unproven: ${verdict.reason}${verdict.needs === null ? "" : `; needs ${verdict.needs}`}`, verdict };
}

function onJudged(rollout: Rollout, event: Judged): Next {
  const isLate = event.stageIndex !== rollout.stageIndex || rollout.phase === "pending";
  if (isLate || rollout.phase === "rolling-back" || rollout.phase === "retreating") return stay(rollout);
  const judged = withChoice(withVerdicts(rollout, event.verdicts), event);
  const failure = firstFailure(judged, event.at);
  if (failure !== null) return failStage(judged, failure);
  const isHolding = judged.holdingSince !== null && !judged.paused && judged.awaiting === null;
  if (!isHolding || (judged.phase !== "progressing" && judged.phase !== "waiting")) return stay(judged);
  return progress(judged, event.at);
}

/** The choice that came with the verdicts. While probes run before a share, the choice that led to them stands. */
function withChoice(rollout: Rollout, { choice }: Judged): Rollout {
  const isChosen = rollout.plan.pace !== undefined && currentStage(rollout).kind === "traffic";
  return isChosen ? { ...rollout, choice: choice ?? null } : rollout;
}

function progress(rollout: Rollout, at: Judged["at"]): Next {
  const stage = currentStage(rollout);
  if (stage.kind === "probes") return stay(rollout);
  const held = heldMs(rollout, at);
  if (held < stage.holdMs) return stay(rollout);
  // At 100 % there is no concurrent stable traffic left to prove anything against; only a fuse can still speak.
  if (stage.kind === "watch") return advance(rollout);
  const bound = boundOn(rollout);
  if (bound === "keeps without proof") return moveOn(rollout);
  if (bound === null && unprovenGates(rollout).length === 0) return advance(rollout);
  if (held < stage.capMs || rollout.phase === "waiting") return stay(rollout);
  if (stage.onCap === "proceed") return advance(rollout);
  const { text, verdict } = unproven(verdictsInForce(rollout));
  return verdict === null && bound !== null
    ? waitForPerson(rollout, at, bound, null)
    : waitForPerson(rollout, at, text, verdict);
}

/** What the bounds on harm say against the next share of a paced rollout; null where nothing. */
function boundOn({ plan, stageIndex, choice }: Rollout): "keeps without proof" | string | null {
  if (plan.stages[stageIndex]?.kind === "shadow") return null; // Nobody is harmed by a copy.
  const isLast = !plan.stages.slice(stageIndex + 1).some(({ kind }) => kind === "traffic");
  if (plan.pace === undefined || isLast) return null;
  if (choice === undefined || choice === null) return "no share is chosen: the traffic is not known yet";
  if (choice.stageIndex === null) return `no greater share keeps the bounds on harm: ${choice.text}`;
  return choice.needsProof ? null : "keeps without proof";
}

function onSuccess(rollout: Rollout, event: Succeeded): Next {
  const done: Rollout = withVerdicts({ ...rollout, awaiting: null }, event.verdicts);
  const failure = firstFailure(done, event.at);
  switch (rollout.phase) {
    case "checking":
      if (failure !== null) return failStage(done, failure);
      // A person who paused it lets nobody move; who resumes has it compared once more.
      if (overall(event.verdicts) === "pass" && !done.paused) return enterFirst(done);
      return stay({ ...done, holdingSince: event.at });
    case "probing":
      if (failure !== null) return failStage(done, failure);
      return afterProbes(done, event);
    case "progressing":
    case "retreating":
      return stay({ ...done, phase: "progressing", holdingSince: event.at, pausedAt: done.paused ? event.at : null });
    case "promoting":
      return finish(done, "promoted", event.at);
    case "rolling-back":
      return finish(done, done.ending, event.at);
    default:
      return stay(done);
  }
}

function afterProbes(rollout: Rollout, event: Succeeded): Next {
  if (overall(event.verdicts) === "pass")
    // What the share before it has not proven is that stage's; the probes are.
    return rollout.paused ? stay({ ...rollout, phase: "waiting" }) : moveOn(rollout);
  if (rollout.probeAttempts < 2) return runProbes(rollout);
  const said = [...event.verdicts].sort((a, b) => gateOrder(a.gate) - gateOrder(b.gate));
  const { text, verdict } = unproven(said);
  return waitForPerson(rollout, event.at, text, verdict);
}

/** Work that must be done is ordered again under a new id: the host has already retried what could be retried. */
function onFailure(rollout: Rollout, awaiting: Effect, event: Failed): Next {
  const failed: Rollout = { ...rollout, awaiting: null };
  const isUnconfirmed = event.code === "unverified" || event.code === "refused";
  const text = isUnconfirmed ? event.message : `${awaiting.kind} failed (${event.code}): ${event.message}`;
  const cause: Cause = { gate: null, verdict: null, stageIndex: rollout.stageIndex, at: event.at, text };
  switch (rollout.phase) {
    case "checking":
      return stay({ ...failed, holdingSince: event.at, cause });
    case "probing":
      return waitForPerson(failed, event.at, text, null);
    case "promoting":
      return order(rollout, awaiting);
    case "rolling-back": {
      const elapsedMs = event.at - (rollout.rollbackOrderedAt ?? event.at);
      if (elapsedMs < rollout.plan.rollbackWithinMs) return order(rollout, awaiting);
      return finish(
        { ...failed, cause: { ...cause, text: `rollback not confirmed: ${text}` } },
        "rollback-failed",
        event.at,
      );
    }
    default:
      // The data plane did not confirm the share: what it serves is unknown, so the way back is the only safe order.
      return rollBack(
        failed,
        isUnconfirmed ? { ...cause, lookAt: lookAtGateway(failed, event.code) } : cause,
        "rolled-back",
      );
  }
}

/** No gate decided, so the candidate need not be at fault: the same may be tried again. */
function lookAtGateway({ plan: { rolloutId } }: Rollout, code: string): string {
  const found = code === "refused" ? "why the gateway refused it; mend that" : "the gateway went away; start it";
  return `${found}, then: sluice retry ${rolloutId}`;
}
