import type { ByArm } from "../arm.ts";
import type { UnitEvidence } from "../by-unit/unit-evidence.ts";
import type { Reading } from "../judge/block.ts";
import { foldEvidence, foldReading, startEvidence } from "../judge/engine.ts";
import { foldRate, NO_TRAFFIC } from "../pace/traffic-rate.ts";
import { isNewer } from "../routing/document.ts";
import type { RolloutPlan } from "../stage/plan.ts";
import { otherClassOf } from "../window/error-class.ts";
import { mergeShadow, type ShadowWindow } from "../window/shadow-window.ts";
import { countBins } from "../window/sketch.ts";
import {
  type ArmWindow,
  EMPTY_ARM_WINDOW,
  type ErrorClass,
  type TelemetryWindow,
  WINDOW_LIMITS,
} from "../window/window.ts";
import type { ClassCounts, DocumentTraffic, Observations, TrafficTotals } from "./observations.ts";
import { foldWorst, NO_WORST } from "./worst-window.ts";

const NONE: TrafficTotals = {
  requests: { stable: 0, candidate: 0 },
  failures: { stable: 0, candidate: 0 },
  units: { stable: 0, candidate: 0 },
  cold: { stable: 0, candidate: 0 },
  gatewayFailures: 0,
  lostWindows: 0,
  latest: null,
  firstCandidateAt: null,
  lastCandidateAt: null,
};

/** Observations before the first window. `known` are the error classes stable already showed. */
export function startObservations(plan: RolloutPlan, known: readonly ErrorClass[]): Observations {
  return {
    evidence: startEvidence(plan.gates, { known }),
    generation: 0,
    judgedAfterEpoch: 0,
    cursors: {},
    sinceEpoch: null,
    totals: NONE,
    worst: NO_WORST,
    pinned: null,
  };
}

/**
 * What is known after one more window. A window at or below its gateway's cursor is a repetition and changes nothing.
 * `units` grow in place. Candidate traffic of documents before this rollout's first one belongs to another release
 * and is left out.
 */
export function observe(
  observations: Observations,
  window: TelemetryWindow,
  plan: RolloutPlan,
  units?: UnitEvidence,
): Observations {
  const cursor = cursorOf(observations, window);
  const arms = newTraffic(observations, window);
  if (arms === null) return observations;
  const isOwn = isOwnTraffic(observations, window);
  const { candidateBp, startMs, endMs, gatewayId: source } = window;
  const shadow = isOwn && window.shadow !== undefined ? { shadow: window.shadow } : {};
  const block = { candidateBp, arms, endMs, spanMs: endMs - startMs, source, ...shadow };
  if (isOwn && isEvidence(window, observations) && window.units !== undefined)
    units?.take(window.units, classesOf(window.arms));
  return {
    ...observations,
    evidence: isEvidence(window, observations)
      ? foldEvidence(observations.evidence, block, plan.gates)
      : observations.evidence,
    ...(plan.pace === undefined ? {} : { rate: foldRate(observations.rate ?? NO_TRAFFIC, block) }),
    cursors: { ...observations.cursors, [window.gatewayId]: window.seq },
    worst: foldWorst(observations.worst, block),
    totals: {
      ...addTotals(observations.totals, arms, window, window.seq - cursor - 1),
      ...addShadow(observations.totals.shadow, shadow.shadow),
    },
  };
}

function cursorOf({ cursors }: Observations, { gatewayId, seq }: TelemetryWindow): number {
  return cursors[gatewayId] ?? seq - 1;
}

function isOwnTraffic({ sinceEpoch }: Observations, { document }: TelemetryWindow): boolean {
  return sinceEpoch !== null && document.epoch >= sinceEpoch;
}

/** What a window adds to what is known; null for a repetition. Another release's candidate is no part of it. */
export function newTraffic(observations: Observations, window: TelemetryWindow): ByArm<ArmWindow> | null {
  if (window.seq <= cursorOf(observations, window)) return null;
  const { arms } = window;
  return isOwnTraffic(observations, window) ? arms : { stable: arms.stable, candidate: EMPTY_ARM_WINDOW };
}

/** The classes of both arms in the order in which a window's failing units refer to them. */
export function classesOf({ stable, candidate }: ByArm<ArmWindow>): ByArm<readonly ErrorClass[]> {
  return { stable: Object.keys(stable.classes), candidate: Object.keys(candidate.classes) };
}

/** Whether a window is evidence of the running try; one that is not still counts in totals and for people. */
function isEvidence({ document }: TelemetryWindow, { judgedAfterEpoch }: Observations): boolean {
  return document.epoch > judgedAfterEpoch;
}

/** What is known after one more reading of a metric from outside. */
export function observeReading(observations: Observations, reading: Reading, plan: RolloutPlan): Observations {
  return { ...observations, evidence: foldReading(observations.evidence, reading, plan.gates) };
}

type Count = (arm: ArmWindow) => number;

function plus(before: ByArm<number>, arms: ByArm<ArmWindow>, count: Count): ByArm<number> {
  return { stable: before.stable + count(arms.stable), candidate: before.candidate + count(arms.candidate) };
}

function addTotals(
  totals: TrafficTotals,
  arms: ByArm<ArmWindow>,
  window: TelemetryWindow,
  lostWindows: number,
): TrafficTotals {
  const hasCandidate = arms.candidate.requestsAll > 0;
  return {
    requests: plus(totals.requests, arms, (arm) => arm.requestsAll),
    failures: plus(totals.failures, arms, (arm) => arm.failuresAll),
    units: plus(totals.units, arms, (arm) => arm.newUnits),
    classes: {
      stable: addClasses(totals.classes?.stable ?? {}, arms.stable.classes),
      candidate: addClasses(totals.classes?.candidate ?? {}, arms.candidate.classes),
    },
    cold: plus(totals.cold, arms, (arm) => countBins(arm.cold)),
    gatewayFailures: totals.gatewayFailures + window.gatewayFailures,
    lostWindows: totals.lostWindows + lostWindows,
    latest: addLatest(totals.latest, arms, window),
    firstCandidateAt: totals.firstCandidateAt ?? (hasCandidate ? window.startMs : null),
    lastCandidateAt: hasCandidate ? window.endMs : totals.lastCandidateAt,
  };
}

function addShadow(before: ShadowWindow | undefined, more: ShadowWindow | undefined): Pick<TrafficTotals, "shadow"> {
  if (before === undefined || more === undefined)
    return before === undefined && more === undefined ? {} : { shadow: (before ?? more) as ShadowWindow };
  return { shadow: mergeShadow(before, more) };
}

/** What is over the cap goes to the stage's own `other`, so that the counts still sum. */
function addClasses(before: ClassCounts, more: ArmWindow["classes"]): ClassCounts {
  const found = Object.entries(more);
  if (found.length === 0) return before;
  const counts: Record<ErrorClass, number> = { ...before };
  for (const [name, count] of found) {
    const isKept = name in counts || Object.keys(counts).length < WINDOW_LIMITS.namedClasses;
    const kept = isKept ? name : otherClassOf(name);
    counts[kept] = (counts[kept] ?? 0) + count;
  }
  return counts;
}

function addLatest(
  latest: DocumentTraffic | null,
  arms: ByArm<ArmWindow>,
  { document }: TelemetryWindow,
): DocumentTraffic {
  if (latest !== null && isNewer(latest, document)) return latest;
  const isSame = latest !== null && !isNewer(document, latest);
  const before = isSame ? latest : { requests: NONE.requests, units: NONE.units };
  const { epoch, seq } = document;
  const requests = plus(before.requests, arms, (arm) => arm.requestsAll);
  return { epoch, seq, requests, units: plus(before.units, arms, (arm) => arm.newUnits) };
}

/** The candidate's part of a count in basis points; null where nothing was counted. */
export function shareBp({ stable, candidate }: ByArm<number>): number | null {
  return stable + candidate === 0 ? null : Math.round((candidate / (stable + candidate)) * 10_000);
}

/** Share of requests the candidate answered under a document; null when nothing was seen under it. */
export function measuredBp(
  latest: DocumentTraffic | null,
  { epoch, seq }: Pick<DocumentTraffic, "epoch" | "seq">,
): number | null {
  return latest !== null && latest.epoch === epoch && latest.seq === seq ? shareBp(latest.requests) : null;
}
