import { assert } from "../assert.ts";
import type { ProbeReport } from "../measure/report.ts";
import type { Verdict } from "../verdict.ts";
import { coverage } from "./coverage.ts";
import { customGate } from "./custom.ts";
import { deltaS } from "./delta-s.ts";
import { errorRate } from "./error-rate.ts";
import { EVENT_MEASURES, eventGate } from "./event-gate.ts";
import { fiveXxBurst } from "./five-xx-burst.ts";
import type { Block, GateSetting, ProbeGate, Reading, StageView, TrafficGate } from "./gate.ts";
import { lambda } from "./lambda.ts";
import { metricGate } from "./metric.ts";
import { type KnownClasses, newErrorClass } from "./new-error-class.ts";
import { gateBaseName } from "./order.ts";
import { p95EqualLoad, p95Warm } from "./p95-warm.ts";
import { peakHour } from "./peak-hour.ts";
import { probeErrors } from "./probe-errors.ts";
import { queueAgeSlope } from "./queue-age-slope.ts";
import { sampleRatio } from "./sample-ratio.ts";
import { schemaViolation } from "./schema-violation.ts";
import { isInForce, maySkip } from "./setting.ts";
import { shareGate } from "./share-gate.ts";
import { SHARE_MEASURES } from "./share-measure.ts";

// Options and states are typed inside each gate; here gates are picked by the name a document wrote.
// biome-ignore lint/suspicious/noExplicitAny: one table for gates of different options
type AnyTrafficGate = TrafficGate<any, any>;
// biome-ignore lint/suspicious/noExplicitAny: one table for gates of different options
type AnyProbeGate = ProbeGate<any>;

const TRAFFIC: readonly AnyTrafficGate[] = [
  sampleRatio,
  ...EVENT_MEASURES.map(eventGate),
  errorRate,
  ...SHARE_MEASURES.map(shareGate),
  fiveXxBurst,
  newErrorClass,
  p95Warm,
  p95EqualLoad,
  queueAgeSlope,
  metricGate,
  customGate,
  peakHour,
];
const PROBE: readonly AnyProbeGate[] = [schemaViolation, probeErrors, deltaS, coverage, lambda];

/** What the traffic gates of one rollout know: one state a gate, as JSON, through the whole rollout. */
export interface Evidence {
  readonly states: Readonly<Record<string, unknown>>;
  /** Blocks folded so far. */
  readonly blocks: number;
}

interface TrafficEntry {
  readonly name: string;
  readonly gate: AnyTrafficGate;
  readonly setting: GateSetting;
}

function trafficGatesOf(settings: readonly GateSetting[]): readonly TrafficEntry[] {
  return settings.flatMap((setting) => {
    const gate = TRAFFIC.find((candidate) => candidate.name === gateBaseName(setting.gate));
    return gate === undefined ? [] : [{ name: setting.gate, gate, setting }];
  });
}

/** Evidence before the first request. `classes` are the error classes stable is already known for. */
export function startEvidence(settings: readonly GateSetting[], classes: KnownClasses = { known: [] }): Evidence {
  const states = trafficGatesOf(settings).map(({ name, gate, setting }) => {
    const state = gate.start(setting.options);
    return [name, gate.name === newErrorClass.name ? newErrorClass.withKnown(state, classes) : state] as const;
  });
  return { states: Object.fromEntries(states), blocks: 0 };
}

/** Evidence of a second try: of the first one only the error classes that stable showed are still known. */
export function restartEvidence({ states }: Evidence, settings: readonly GateSetting[]): Evidence {
  return startEvidence(settings, (states[newErrorClass.name] as KnownClasses | undefined) ?? { known: [] });
}

function mapStates(
  evidence: Evidence,
  settings: readonly GateSetting[],
  next: (entry: TrafficEntry, state: unknown) => unknown,
): Evidence["states"] {
  const states = trafficGatesOf(settings).map((entry) => {
    const state = evidence.states[entry.name];
    assert(state !== undefined, `evidence has a state for ${entry.name}`);
    return [entry.name, next(entry, state)] as const;
  });
  return Object.fromEntries(states);
}

/** A block in which nobody was served and nothing was counted or measured. */
function isSilent({ arms }: Block): boolean {
  return [arms.stable, arms.candidate].every(
    (arm) => arm.requestsAll + Object.keys(arm.counters).length + Object.keys(arm.gauges).length === 0,
  );
}

/** Evidence after one more block. A silent block changes nothing. */
export function foldEvidence(evidence: Evidence, block: Block, settings: readonly GateSetting[]): Evidence {
  if (isSilent(block)) return evidence;
  const states = mapStates(evidence, settings, ({ gate, setting }, state) => gate.fold(state, block, setting.options));
  return { states, blocks: evidence.blocks + 1 };
}

/** Evidence after a reading of a metric from outside. */
export function foldReading(evidence: Evidence, reading: Reading, settings: readonly GateSetting[]): Evidence {
  const states = mapStates(
    evidence,
    settings,
    ({ gate, setting }, state) => gate.read?.(state, reading, setting.options) ?? state,
  );
  return { ...evidence, states };
}

/** True when some traffic gate's fuse has fired; then, and only then, a `fail` is among the verdicts. */
export function isHarmProven(evidence: Evidence, stage: StageView, settings: readonly GateSetting[]): boolean {
  return trafficGatesOf(settings).some(
    ({ name, gate, setting }) =>
      isInForce(setting, stage.candidateBp) && gate.isHarmProven(evidence.states[name], setting.options),
  );
}

/** Verdicts of the traffic gates in force on the evidence so far; a gate that waits for its first data says nothing. */
export function judgeTraffic(
  evidence: Evidence,
  stage: StageView,
  settings: readonly GateSetting[],
): readonly Verdict[] {
  return trafficGatesOf(settings).flatMap(({ name, gate, setting }) => {
    if (!isInForce(setting, stage.candidateBp)) return [];
    const verdict = { ...gate.decide(evidence.states[name], stage, setting.options), gate: name };
    return verdict.kind === "no-data" && maySkip(setting) ? [] : [verdict];
  });
}

/** Verdicts of the probe gates in force on one report; a gate may give one verdict a topic. */
export function judgeProbes(
  report: ProbeReport,
  stage: StageView,
  settings: readonly GateSetting[],
): readonly Verdict[] {
  return settings.flatMap((setting) => {
    const gate = PROBE.find((candidate) => candidate.name === setting.gate);
    if (gate === undefined || !isInForce(setting, stage.candidateBp)) return [];
    return gate.decide(report, stage, setting.options);
  });
}
