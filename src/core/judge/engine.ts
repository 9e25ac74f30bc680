import type { ByArm } from "../arm.ts";
import { assert } from "../assert.ts";
import type { ProbeReport } from "../measure/report.ts";
import type { ManifestField, ObservedManifest, PinnedManifests } from "../release/manifest.ts";
import { BP_ALL } from "../unit.ts";
import type { Verdict } from "../verdict.ts";
import type { Block, Reading, ServiceHistory, ServiceTraffic, StageView } from "./block.ts";
import type { OpenTraffic } from "./definition.ts";
import { gateNamed, speaksIn } from "./gates.ts";
import { type GateSetting, gateLabel, isInForce, maySkip } from "./setting.ts";

/** What the traffic gates of one rollout know: one state a gate, as JSON, through the whole rollout. */
export interface Evidence {
  readonly states: Readonly<Record<string, unknown>>;
  /** Blocks folded so far. */
  readonly blocks: number;
  /** What the candidate answered, well or not, while all traffic was its own; absent in the version before. */
  readonly answeredAlone?: number;
}

interface TrafficEntry {
  /** Where the evidence keeps its state. */
  readonly key: string;
  readonly gate: OpenTraffic;
  readonly setting: GateSetting;
}

const opened = new WeakMap<readonly GateSetting[], readonly TrafficEntry[]>();

/** The gates of a plan that read traffic, opened once for each list of settings. */
function trafficGatesOf(settings: readonly GateSetting[]): readonly TrafficEntry[] {
  const known = opened.get(settings);
  if (known !== undefined) return known;
  const entries = settings.flatMap((setting): readonly TrafficEntry[] => {
    const gate = gateNamed(setting.gate).openTraffic(setting.options);
    return gate === null ? [] : [{ key: gateLabel(setting), gate, setting }];
  });
  opened.set(settings, entries);
  return entries;
}

/** Evidence before the first request. `history` is what is known of the service from before. */
export function startEvidence(settings: readonly GateSetting[], history: ServiceHistory = { known: [] }): Evidence {
  const states = trafficGatesOf(settings).map(({ key, gate }) => [key, gate.start(history)] as const);
  return { states: Object.fromEntries(states), blocks: 0 };
}

/** Evidence of a second try: of the first one only what its gates remember of the service is still known. */
export function restartEvidence({ states }: Evidence, settings: readonly GateSetting[]): Evidence {
  const known = trafficGatesOf(settings).flatMap(({ key, gate }) => gate.remember(states[key])?.known ?? []);
  return startEvidence(settings, { known });
}

/** The settings with what was learnt of the service in the options that a document left open. */
export function learnFrom(settings: readonly GateSetting[], service: ServiceTraffic): readonly GateSetting[] {
  return settings.map((setting) => {
    const options = gateNamed(setting.gate).learn(setting.options, service);
    return options === null ? setting : { ...setting, options };
  });
}

function mapStates(
  evidence: Evidence,
  settings: readonly GateSetting[],
  next: (entry: TrafficEntry, state: unknown) => unknown,
): Evidence["states"] {
  const states = trafficGatesOf(settings).map((entry) => {
    const state = evidence.states[entry.key];
    assert(state !== undefined, `evidence has a state for ${entry.key}`);
    return [entry.key, next(entry, state)] as const;
  });
  return Object.fromEntries(states);
}

/** A block in which nobody was served and nothing was counted or measured. */
function isSilent({ arms, shadow }: Block): boolean {
  if (shadow !== undefined) return false;
  return [arms.stable, arms.candidate].every(
    (arm) => arm.requestsAll + Object.keys(arm.counters).length + Object.keys(arm.gauges).length === 0,
  );
}

/** Evidence after one more block. A silent block changes nothing. */
export function foldEvidence(evidence: Evidence, block: Block, settings: readonly GateSetting[]): Evidence {
  if (isSilent(block)) return evidence;
  const states = mapStates(evidence, settings, ({ gate }, state) => gate.fold(state, block));
  const { blocks, answeredAlone = 0 } = evidence;
  const more = block.candidateBp === BP_ALL ? block.arms.candidate.requestsAll : 0;
  return { states, blocks: blocks + 1, answeredAlone: answeredAlone + more };
}

/** Evidence after a reading of a metric from outside. */
export function foldReading(evidence: Evidence, reading: Reading, settings: readonly GateSetting[]): Evidence {
  const states = mapStates(evidence, settings, ({ gate }, state) => gate.read(state, reading));
  return { ...evidence, states };
}

function isAsked(setting: GateSetting, { candidateBp, kind }: StageView): boolean {
  return isInForce(setting, candidateBp) && speaksIn(setting.gate, kind);
}

/** True when some traffic gate's fuse has fired; then, and only then, a `fail` is among the verdicts. */
export function isHarmProven(evidence: Evidence, stage: StageView, settings: readonly GateSetting[]): boolean {
  return trafficGatesOf(settings).some(
    ({ key, gate, setting }) => isAsked(setting, stage) && gate.isHarmProven(evidence.states[key], stage.units),
  );
}

/** Verdicts of the traffic gates in force on the evidence so far; a gate that waits for its first data says nothing. */
export function judgeTraffic(
  evidence: Evidence,
  stage: StageView,
  settings: readonly GateSetting[],
): readonly Verdict[] {
  return trafficGatesOf(settings).flatMap(({ key, gate, setting }) => {
    if (!isAsked(setting, stage)) return [];
    const { instance } = setting;
    const verdict = { ...gate.decide(evidence.states[key], stage), ...(instance === undefined ? {} : { instance }) };
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
    if (!isInForce(setting, stage.candidateBp)) return [];
    return gateNamed(setting.gate).judgeProbes(report, stage, setting.options) ?? [];
  });
}

/** Verdicts of the gates on what both arms say they are, whatever the share. */
export function judgeIdentity(
  pinned: PinnedManifests,
  observed: ByArm<ObservedManifest>,
  changes: readonly ManifestField[],
  settings: readonly GateSetting[],
): readonly Verdict[] {
  return settings.flatMap(({ gate }) => gateNamed(gate).judgeIdentity?.(pinned, observed, changes) ?? []);
}
