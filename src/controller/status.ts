import type { Status, VerdictAnswer } from "../contract/status.ts";
import type { ByArm } from "../core/arm.ts";
import type { Stretch } from "../core/observe/worst-window.ts";
import { stopConditionOf } from "../core/judge/gates.ts";
import { gateLabel } from "../core/judge/setting.ts";
import { shareBp } from "../core/observe/observe.ts";
import { isNewer, type RoutingDocument } from "../core/routing/document.ts";
import { lookAtOf } from "../core/rollout/look-at.ts";
import type { JournalEntry } from "../core/rollout/journal-entry.ts";
import { currentStage, heldMs, isFinal, type Phase, type Rollout } from "../core/rollout/rollout.ts";
import { unwatchedGates } from "../core/rollout/unproven.ts";
import type { EpochMs } from "../core/unit.ts";
import type { Verdict } from "../core/verdict.ts";
import type { StoredRollout } from "../ports/controller-store.ts";
import { nextAction, type PlanesHeard, stageName } from "./next-action.ts";
import { shadowWire } from "./shadow-status.ts";

/** A verdict on the wire. */
export function verdictWire(verdict: Verdict): VerdictAnswer {
  const { kind, segment, estimate, interval, samples, threshold, alpha, eValue, reason, needs } = verdict;
  const condition = stopConditionOf(verdict);
  return {
    gate: gateLabel(verdict),
    verdict: kind,
    condition,
    ...(segment === undefined ? {} : { segment }),
    estimate,
    interval,
    samples,
    threshold,
    alpha,
    e_value: eValue,
    reason,
    needs,
  };
}

/** A stretch of traffic on the wire. */
function stretchWire(stretch: Stretch | null): Status["worst"]["failures"] {
  if (stretch === null) return null;
  const { startMs, endMs, arms } = stretch;
  const arm = ({ requests, failures, p95Ms }: Stretch["arms"]["stable"]) => ({ requests, failures, p95_ms: p95Ms });
  return { start_ms: startMs, end_ms: endMs, stable: arm(arms.stable), candidate: arm(arms.candidate) };
}

/** Exit code a waiting command would end with now; null while the rollout runs. @source contracts.md, "Exit codes" */
export function exitCodeOf({ phase }: Rollout): Status["exit_code"] {
  const codes: Readonly<Partial<Record<Phase, NonNullable<Status["exit_code"]>>>> = {
    promoted: 0,
    "rolled-back": 10,
    waiting: 11,
    aborted: 12,
    "rollback-failed": 14,
  };
  return codes[phase] ?? null;
}

/**
 * Milliseconds from the first candidate user request, or from the order to probe where a probe stage decided, to the
 * verdict; null when no gate decided.
 */
function detectMs({ rollout, observations }: StoredRollout, journal: readonly JournalEntry[]): number | null {
  const { cause } = rollout;
  if (cause?.gate == null) return null;
  const stage = rollout.plan.stages[cause.stageIndex];
  const isProbed = stage?.kind === "probes" || observations.totals.firstCandidateAt === null;
  const orderedAt = journal.findLast(({ orders }) => orders.some(({ port }) => port === "probe" || port === "health"))
    ?.event.at;
  const since = isProbed ? orderedAt : observations.totals.firstCandidateAt;
  return since === undefined || since === null ? null : Math.max(0, cause.at - since);
}

/**
 * Milliseconds from the decision to go back to the last request the candidate answered; null when nothing went back or
 * the candidate never served. As exact as the telemetry windows, a quarter of a second.
 */
function rollbackMs({ rollout, observations }: StoredRollout): number | null {
  const { cause, rollbackOrderedAt } = rollout;
  const { lastCandidateAt } = observations.totals;
  if (cause === null || rollbackOrderedAt === null || lastCandidateAt === null) return null;
  return Math.max(0, lastCandidateAt - rollbackOrderedAt);
}

/** What was seen since the first window of the rollout, on the wire. */
function trafficWire(totals: StoredRollout["observations"]["totals"]): Omit<Status["traffic"], "units_met"> {
  return {
    requests: totals.requests,
    failures: totals.failures,
    classes: totals.classes ?? { stable: {}, candidate: {} },
    units: totals.units,
    cold: totals.cold,
    gateway_failures: totals.gatewayFailures,
    lost_windows: totals.lostWindows,
    first_candidate_at: totals.firstCandidateAt,
    last_candidate_at: totals.lastCandidateAt,
  };
}

/** Why the rollout stopped or waits, on the wire. */
function causeWire(cause: Rollout["cause"]): Status["cause"] {
  if (cause === null) return null;
  const { gate, stageIndex: stage, at, text, verdict } = cause;
  return {
    gate,
    stage,
    at,
    text,
    look_at: lookAtOf(cause),
    verdict: verdict === null ? null : verdictWire(verdict),
  };
}

/** The share that a paced rollout would go to next, and why; null without a pace or a choice. */
function paceWire({ plan, choice, stageIndex }: Rollout): Status["pace"] {
  if (plan.pace === undefined || choice == null || choice.stageIndex === stageIndex) return null;
  const stage = choice.stageIndex === null ? null : plan.stages[choice.stageIndex];
  return { next_bp: stage?.kind === "traffic" ? stage.candidateBp : null, text: choice.text };
}

/** The state as conditions, in the shape that tools for Kubernetes read. */
function conditionsOf(rollout: Rollout) {
  const { verdicts, phase, paused } = rollout;
  const isPassing = verdicts.length > 0 && verdicts.every(({ kind }) => kind === "pass");
  return [
    { type: "Progressing", status: String(!isFinal(rollout) && !paused) },
    { type: "GatesPassing", status: String(isPassing) },
    { type: "Promoted", status: String(phase === "promoted") },
    { type: "RollbackReady", status: String(phase !== "rollback-failed") },
  ];
}

/** What is known beside the stored rollout; null where nobody was asked. */
export interface Heard {
  readonly planes: PlanesHeard | null;
  /** Users that each arm answered in the running try. */
  readonly unitsMet: ByArm<number> | null;
}

/** What `GET /v1/rollouts/{id}` answers. */
export function statusWire(
  stored: StoredRollout,
  document: RoutingDocument | null,
  journal: readonly JournalEntry[],
  at: EpochMs,
  { planes, unitsMet }: Heard = { planes: null, unitsMet: null },
): Status {
  const { rollout, observations, createdAt } = stored;
  const { plan } = rollout;
  const { totals } = observations;
  const stage = currentStage(rollout);
  // What was seen under an older document says nothing about the share in force.
  const latest =
    document !== null && totals.latest !== null && !isNewer(document, totals.latest) ? totals.latest : null;
  return {
    id: plan.rolloutId,
    generation: plan.generation,
    service: plan.service,
    phase: rollout.phase,
    paused: rollout.paused,
    frozen: rollout.frozen,
    stage: { index: rollout.stageIndex, count: plan.stages.length, kind: stage.kind, name: stageName(stage) },
    share: {
      ordered_bp: rollout.candidateBp,
      document: document === null ? null : { epoch: document.epoch, seq: document.seq },
      measured_requests_bp: latest === null ? null : shareBp(latest.requests),
      measured_units_bp: latest === null ? null : shareBp(latest.units),
      requests_bp: shareBp(totals.requests),
    },
    traffic: { ...trafficWire(totals), units_met: unitsMet },
    shadow: shadowWire(rollout, totals),
    worst: {
      failures: stretchWire(observations.worst.failures),
      latency: stretchWire(observations.worst.latency),
    },
    held_ms: heldMs(rollout, at),
    lease_ms: plan.leaseMs ?? null,
    verdicts: rollout.verdicts.map(verdictWire),
    not_watched: unwatchedGates(rollout),
    unproven_stages: rollout.unprovenStages,
    pace: paceWire(rollout),
    cause: causeWire(rollout.cause),
    detect_ms: detectMs(stored, journal),
    rollback_ms: rollbackMs(stored),
    gateways:
      planes === null
        ? null
        : { live: planes.live, silent_ms: planes.silentMs, accept_unsigned: planes.unsigned ?? [] },
    next: nextAction(rollout, at, planes, document),
    conditions: conditionsOf(rollout),
    exit_code: exitCodeOf(rollout),
    created_at: createdAt,
    started_at: rollout.startedAt,
    ended_at: rollout.endedAt,
  };
}
