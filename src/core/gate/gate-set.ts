import { assert } from "../assert.ts";
import type { ProbeReport } from "../measure/report.ts";
import type { Verdict } from "../verdict.ts";
import { coverage } from "./coverage.ts";
import { deltaS } from "./delta-s.ts";
import { errorRate } from "./error-rate.ts";
import type { Block, GateSetting, ProbeGate, StageView, TrafficGate } from "./gate.ts";
import { lambda } from "./lambda.ts";
import { type KnownClasses, newErrorClass } from "./new-error-class.ts";
import { p95Warm } from "./p95-warm.ts";
import { probeErrors } from "./probe-errors.ts";
import { schemaViolation } from "./schema-violation.ts";

// Options and states are typed inside each gate; here gates are picked by the name a document wrote.
// biome-ignore lint/suspicious/noExplicitAny: one table for gates of different options
type AnyTrafficGate = TrafficGate<any, any>;
// biome-ignore lint/suspicious/noExplicitAny: one table for gates of different options
type AnyProbeGate = ProbeGate<any>;

const TRAFFIC: readonly AnyTrafficGate[] = [errorRate, newErrorClass, p95Warm];
const PROBE: readonly AnyProbeGate[] = [schemaViolation, probeErrors, deltaS, coverage, lambda];

/** What the traffic gates of one rollout know: one state a gate, as JSON, through the whole rollout. */
export interface Evidence {
  readonly states: Readonly<Record<string, unknown>>;
  /** Blocks folded so far. */
  readonly blocks: number;
}

function trafficGatesOf(settings: readonly GateSetting[]) {
  return settings.flatMap((setting) => {
    const gate = TRAFFIC.find((candidate) => candidate.name === setting.gate);
    return gate === undefined ? [] : [{ gate, options: setting.options }];
  });
}

/** Evidence before the first request. `classes` are the error classes stable is already known for. */
export function startEvidence(settings: readonly GateSetting[], classes: KnownClasses = { known: [] }): Evidence {
  const states = trafficGatesOf(settings).map(({ gate, options }) => {
    const state = gate.start(options);
    return [gate.name, gate.name === newErrorClass.name ? newErrorClass.withKnown(state, classes) : state] as const;
  });
  return { states: Object.fromEntries(states), blocks: 0 };
}

/** Evidence after one more block. A block without requests changes nothing. */
export function foldEvidence(evidence: Evidence, block: Block, settings: readonly GateSetting[]): Evidence {
  if (block.arms.stable.requestsAll + block.arms.candidate.requestsAll === 0) return evidence;
  const states = trafficGatesOf(settings).map(({ gate, options }) => {
    const state = evidence.states[gate.name];
    assert(state !== undefined, `evidence has a state for ${gate.name}`);
    return [gate.name, gate.fold(state, block, options)] as const;
  });
  return { states: Object.fromEntries(states), blocks: evidence.blocks + 1 };
}

/** True when some traffic gate's fuse has fired; then, and only then, a `fail` is among the verdicts. */
export function isHarmProven(evidence: Evidence, settings: readonly GateSetting[]): boolean {
  return trafficGatesOf(settings).some(({ gate, options }) => gate.isHarmProven(evidence.states[gate.name], options));
}

/** Verdicts of all traffic gates of a plan on the evidence so far. */
export function judgeTraffic(
  evidence: Evidence,
  stage: StageView,
  settings: readonly GateSetting[],
): readonly Verdict[] {
  return trafficGatesOf(settings).map(({ gate, options }) => gate.decide(evidence.states[gate.name], stage, options));
}

/** Verdicts of all probe gates of a plan on one report; a gate may give one verdict a topic. */
export function judgeProbes(
  report: ProbeReport,
  stage: StageView,
  settings: readonly GateSetting[],
): readonly Verdict[] {
  return settings.flatMap((setting) => {
    const gate = PROBE.find((candidate) => candidate.name === setting.gate);
    return gate === undefined ? [] : gate.decide(report, stage, setting.options);
  });
}
