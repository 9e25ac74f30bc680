import { unreachable } from "../assert.ts";
import { gateOrder, isEntryGate } from "../judge/gates.ts";
import { gateLabel } from "../judge/setting.ts";
import { overall, type Verdict } from "../verdict.ts";
import { onCommand } from "./command.ts";
import { awaitedBy, type OrderDone, type OrderFailed, orderName } from "../process/order.ts";
import type { RolloutEvent } from "./event.ts";
import { onClockMoved, onRestart } from "./lived-time.ts";
import type { RolloutOrder } from "./order.ts";
import { type Cause, currentStage, heldMs, isFinal, type Rollout, verdictsInForce } from "./rollout.ts";
import {
  advance,
  checkIdentity,
  type Decision,
  enterFirst,
  failStage,
  finish,
  moveOn,
  order,
  rollBack,
  runProbes,
  stay,
  waitForPerson,
} from "./transition.ts";
import { holdMsOf, unheardCapMs } from "../stage/share.ts";
import { unprovenGates } from "./unproven.ts";

/** Why a watch does not end by its time alone. */
const UNHEARD = "nobody has told of an answer of the candidate at 100 %, so nothing watched it";

/** How long after an unanswered identity check the next one is tried. */
const RECHECK_MS = 5_000;

type Judged = Extract<RolloutEvent, { kind: "judged" }>;

/**
 * One decision: same rollout and same event give the same answer. The order of cases is authority: operator first, then
 * safety, then progress. The host journals the answer before an order begins.
 */
export function step(rollout: Rollout, event: RolloutEvent): Decision {
  if (event.kind === "commanded") return onCommand(rollout, event);
  if (isFinal(rollout)) return stay(rollout);
  switch (event.kind) {
    case "started":
      return rollout.phase === "pending" ? start({ ...rollout, startedAt: event.at }) : stay(rollout);
    case "judged":
      return onJudged(rollout, event);
    case "order-done":
    case "order-failed":
      return onResult(rollout, event);
    case "controller-restarted":
      return stay(onRestart(rollout, event));
    case "clock-moved":
      return stay(onClockMoved(rollout, event));
    case "tick": {
      const isDue = rollout.phase === "checking" && rollout.awaiting.length === 0;
      return isDue && heldMs(rollout, event.at) >= RECHECK_MS ? checkIdentity(rollout) : stay(rollout);
    }
    default:
      return unreachable(event);
  }
}

function start(rollout: Rollout): Decision {
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

function onJudged(rollout: Rollout, event: Judged): Decision {
  const isLate = event.stageIndex !== rollout.stageIndex || rollout.phase === "pending";
  if (isLate || rollout.phase === "rolling-back" || rollout.phase === "retreating") return stay(rollout);
  const judged = withChoice(withVerdicts(rollout, event.verdicts), event);
  const failure = firstFailure(judged, event.at);
  if (failure !== null) return failStage(judged, failure);
  const isHolding = judged.holdingSince !== null && !judged.paused && judged.awaiting.length === 0;
  if (!isHolding || (judged.phase !== "progressing" && judged.phase !== "waiting")) return stay(judged);
  if (currentStage(judged).kind === "watch") return watch(judged, event);
  return progress(judged, event.at);
}

/** The choice that came with the verdicts. While probes run before a share, the choice that led to them stands. */
function withChoice(rollout: Rollout, { choice }: Judged): Rollout {
  const isChosen = rollout.plan.pace !== undefined && currentStage(rollout).kind === "traffic";
  return isChosen ? { ...rollout, choice: choice ?? null } : rollout;
}

/**
 * At 100 % there is no concurrent stable traffic left to prove anything against: only a fuse can still speak. But a
 * fuse that nobody's answers reached watched nothing, so silence holds it as long again and then asks a person.
 */
function watch(rollout: Rollout, { at, hasAnsweredAlone = false }: Judged): Decision {
  const holdMs = holdMsOf(currentStage(rollout));
  const held = heldMs(rollout, at);
  if (held < holdMs) return stay(rollout);
  if (hasAnsweredAlone) return advance(rollout);
  if (held < unheardCapMs(holdMs) || rollout.phase === "waiting") return stay(rollout);
  return waitForPerson(rollout, at, `${UNHEARD}; see: sluice gateways`, null);
}

function progress(rollout: Rollout, at: Judged["at"]): Decision {
  const stage = currentStage(rollout);
  if (stage.kind === "probes" || stage.kind === "watch") return stay(rollout);
  const held = heldMs(rollout, at);
  if (held < stage.holdMs) return stay(rollout);
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

/** What became of an order; of one that nobody waits for any more it says nothing. */
function onResult(rollout: Rollout, event: OrderDone | OrderFailed): Decision {
  const known = awaitedBy(rollout.awaiting, event);
  if (known === null) return stay(rollout);
  const left: Rollout = { ...rollout, awaiting: rollout.awaiting.filter(({ id }) => id !== known.id) };
  return event.kind === "order-done" ? onDone(left, known, event) : onFailed(left, known, event);
}

function onDone(rollout: Rollout, { port }: RolloutOrder, event: OrderDone): Decision {
  const done = withVerdicts(rollout, event.verdicts);
  const failure = firstFailure(done, event.at);
  switch (port) {
    case "health":
      if (failure !== null) return failStage(done, failure);
      // A person who paused it lets nobody move; who resumes has it compared once more.
      if (overall(event.verdicts) === "pass" && !done.paused) return enterFirst(done);
      return stay({ ...done, holdingSince: event.at });
    case "probe":
      if (failure !== null) return failStage(done, failure);
      return afterProbes(done, event);
    case "traffic":
      return onServed(done, event.at);
    default:
      return unreachable(port);
  }
}

/** The data planes serve the document. */
function onServed(done: Rollout, at: Cause["at"]): Decision {
  switch (done.phase) {
    case "progressing":
    case "retreating":
      return stay({ ...done, phase: "progressing", holdingSince: at, pausedAt: done.paused ? at : null });
    case "promoting":
      return finish(done, "promoted", at);
    case "rolling-back":
      return finish(done, done.ending, at);
    default:
      return stay(done);
  }
}

function afterProbes(rollout: Rollout, event: OrderDone): Decision {
  if (overall(event.verdicts) === "pass")
    // What the share before it has not proven is that stage's; the probes are.
    return rollout.paused ? stay({ ...rollout, phase: "waiting" }) : moveOn(rollout);
  if (rollout.probeAttempts < 2) return runProbes(rollout);
  const said = [...event.verdicts].sort((a, b) => gateOrder(a.gate) - gateOrder(b.gate));
  const { text, verdict } = unproven(said);
  return waitForPerson(rollout, event.at, text, verdict);
}

/** Work that must be done is ordered again under a new id: the host has already retried what could be retried. */
function onFailed(failed: Rollout, known: RolloutOrder, event: OrderFailed): Decision {
  const isUnconfirmed = event.code === "unverified" || event.code === "refused";
  const text = isUnconfirmed ? event.message : `${orderName(known)} failed (${event.code}): ${event.message}`;
  const cause: Cause = { gate: null, verdict: null, stageIndex: failed.stageIndex, at: event.at, text };
  switch (failed.phase) {
    case "checking":
      return stay({ ...failed, holdingSince: event.at, cause });
    case "probing":
      return waitForPerson(failed, event.at, text, null);
    case "promoting":
      return order(failed, known);
    case "rolling-back": {
      const elapsedMs = event.at - (failed.rollbackOrderedAt ?? event.at);
      if (elapsedMs < failed.plan.rollbackWithinMs) return order(failed, known);
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
