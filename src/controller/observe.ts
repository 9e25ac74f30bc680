import type { ByArm, ServingArm } from "../core/arm.ts";
import { foldEvidence, startEvidence } from "../core/gate/gate-set.ts";
import type { RolloutPlan } from "../core/stage/plan.ts";
import { type ArmWindow, EMPTY_ARM_WINDOW, type ErrorClass, type TelemetryWindow } from "../core/window/window.ts";
import type { Observations, TrafficTotals } from "../ports/controller-store.ts";

const NONE: TrafficTotals = {
  requests: { stable: 0, candidate: 0 },
  failures: { stable: 0, candidate: 0 },
  units: { stable: 0, candidate: 0 },
  gatewayFailures: 0,
  firstCandidateAt: null,
  lastCandidateAt: null,
};

/** Observations before the first window. `known` are the error classes stable already showed. */
export function startObservations(plan: RolloutPlan, known: readonly ErrorClass[], generation = 0): Observations {
  return {
    evidence: startEvidence(plan.gates, { known }),
    generation,
    cursors: {},
    sinceEpoch: null,
    totals: NONE,
    pinned: null,
  };
}

/** Fresh evidence for a stage's second try; cursors and totals go on. */
export function restartEvidence(observations: Observations, plan: RolloutPlan, generation: number): Observations {
  return { ...observations, evidence: startEvidence(plan.gates), generation };
}

/**
 * What is known after one more window. A window at or below its gateway's cursor is a repetition and changes nothing.
 * Candidate traffic of documents before this rollout's first one belongs to another release and is left out.
 */
export function observe(observations: Observations, window: TelemetryWindow, plan: RolloutPlan): Observations {
  if (window.seq <= (observations.cursors[window.gatewayId] ?? -1)) return observations;
  const isOwn = observations.sinceEpoch !== null && window.document.epoch >= observations.sinceEpoch;
  const arms: ByArm<ArmWindow> = isOwn ? window.arms : { stable: window.arms.stable, candidate: EMPTY_ARM_WINDOW };
  const block = { candidateBp: window.candidateBp, arms };
  return {
    ...observations,
    evidence: foldEvidence(observations.evidence, block, plan.gates),
    cursors: { ...observations.cursors, [window.gatewayId]: window.seq },
    totals: addTotals(observations.totals, arms, window),
  };
}

function addTotals(totals: TrafficTotals, arms: ByArm<ArmWindow>, window: TelemetryWindow): TrafficTotals {
  const plus = (before: ByArm<number>, of: (arm: ArmWindow) => number): ByArm<number> => {
    const sum = (arm: ServingArm) => before[arm] + of(arms[arm]);
    return { stable: sum("stable"), candidate: sum("candidate") };
  };
  const hasCandidate = arms.candidate.requestsAll > 0;
  return {
    requests: plus(totals.requests, (arm) => arm.requestsAll),
    failures: plus(totals.failures, (arm) => arm.failuresAll),
    units: plus(totals.units, (arm) => arm.newUnits),
    gatewayFailures: totals.gatewayFailures + window.gatewayFailures,
    firstCandidateAt: totals.firstCandidateAt ?? (hasCandidate ? window.startMs : null),
    lastCandidateAt: hasCandidate ? window.endMs : totals.lastCandidateAt,
  };
}
