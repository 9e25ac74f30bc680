import { assert } from "../assert.ts";
import type { Stage } from "../stage/plan.ts";
import type { Verdict } from "../verdict.ts";
import { costPerAnswer, firstToken, inputTokens, outputTokens } from "./answers/amounts.ts";
import {
  abandonedStreams,
  emptyAnswers,
  refusals,
  regenerations,
  thumbsDown,
  truncations,
} from "./answers/unit-events.ts";
import { custom } from "./custom/custom.ts";
import { metric } from "./custom/metric.ts";
import type { Advice, Gate } from "./definition.ts";
import { errorRate } from "./errors/error-rate.ts";
import { fiveXxBurst } from "./errors/five-xx-burst.ts";
import { newErrorClass } from "./errors/new-error-class.ts";
import { segmentErrors } from "./errors/segment-errors.ts";
import { cacheCollision, duplicateEffect, stickyViolation, toolLoop, writeLoss } from "./events/events.ts";
import type { OptionsOf } from "./fields.ts";
import { parity } from "./identity/parity.ts";
import { p95EqualLoad, p95Warm } from "./latency/p95-warm.ts";
import { coverage } from "./probes/coverage.ts";
import { deltaS } from "./probes/delta-s.ts";
import { lambda } from "./probes/lambda.ts";
import { schemaViolation } from "./probes/schema-violation.ts";
import { shadowErrors } from "./shadow/shadow-errors.ts";
import { shadowP95 } from "./shadow/shadow-p95.ts";
import { cacheHitDrop, coldShare, dedupeMiss } from "./share/others.ts";
import { errorRateAbs, errorRateRel, fiveXxAbs, fiveXxDelta } from "./share/errors.ts";
import { peakHour } from "./traffic/peak-hour.ts";
import { queueAgeSlope } from "./traffic/queue-age-slope.ts";
import { sampleRatio } from "./traffic/sample-ratio.ts";

/**
 * Every kind of gate in the order in which a cause is named when several fail together: hard rules, then what users
 * see, then answers. Coverage stands before ΔS: sections that are gone move both, and coverage names the topic while ΔS
 * shows its shadow.
 */
const KINDS = [
  schemaViolation,
  parity,
  sampleRatio,
  duplicateEffect,
  writeLoss,
  stickyViolation,
  cacheCollision,
  shadowErrors,
  errorRate,
  errorRateAbs,
  errorRateRel,
  fiveXxAbs,
  fiveXxDelta,
  fiveXxBurst,
  newErrorClass,
  segmentErrors,
  toolLoop,
  shadowP95,
  p95Warm,
  p95EqualLoad,
  refusals,
  emptyAnswers,
  truncations,
  abandonedStreams,
  thumbsDown,
  regenerations,
  firstToken,
  costPerAnswer,
  inputTokens,
  outputTokens,
  coldShare,
  queueAgeSlope,
  dedupeMiss,
  cacheHitDrop,
  coverage,
  deltaS,
  lambda,
  metric,
  custom,
  peakHour,
] as const;

type Kind = (typeof KINDS)[number];

export type GateName = Kind["name"];

/** Options of every kind of gate by its name. */
export type GateOptions = { readonly [kind in Kind as kind["name"]]: OptionsOf<kind["options"]> };

/** Every kind of gate, in the order of causes. */
export const GATES: readonly Gate<GateName>[] = KINDS;

/** The names a document may use, in the order of causes. */
export const GATE_NAMES: readonly GateName[] = KINDS.map(({ name }) => name);

const BY_NAME: ReadonlyMap<string, Gate<GateName>> = new Map(GATES.map((gate) => [gate.name, gate]));

/** The gate of that name; null for a name no gate has. */
export function findGate(name: string): Gate<GateName> | null {
  return BY_NAME.get(name) ?? null;
}

/** The gate of that name. Throws for one that no document could have asked for. */
export function gateNamed(name: string): Gate<GateName> {
  const gate = BY_NAME.get(name);
  assert(gate !== undefined, `${name} is a gate`);
  return gate;
}

/** Place of a gate in the order of causes; unknown names come last. */
export function gateOrder(name: string): number {
  const index = GATES.findIndex((gate) => gate.name === name);
  return index < 0 ? GATES.length : index;
}

/** Whether a rollout begins with the gate of that name, before its first stage. */
export function isEntryGate(name: string): boolean {
  return findGate(name)?.isEntry ?? false;
}

/** Whether the gate of that name waits for the traffic and the metrics of a stage. */
export function isTrafficGate(name: string): boolean {
  return findGate(name)?.reads === "traffic";
}

/**
 * Whether the gate of that name is asked in such a stage: pairs come from a shadow stage alone, and nothing else that
 * reads traffic has any there.
 */
export function speaksIn(name: string, stage: Stage["kind"]): boolean {
  const gate = findGate(name);
  return gate?.reads !== "traffic" || (gate.counts === "pairs") === (stage === "shadow");
}

/** Whether the gate of that name waits for probe reports. */
export function isProbeGate(name: string): boolean {
  return findGate(name)?.reads === "probe";
}

/** The reason code of a verdict: the one it names, or the first of its gate. Null for a name no gate has. */
export function stopConditionOf({ gate, condition }: Pick<Verdict, "gate" | "condition">): string | null {
  return condition ?? Object.keys(findGate(gate)?.conditions ?? {})[0] ?? null;
}

/** What a stop condition of a gate means and where to look first. Null for a code the gate does not have. */
export function adviceFor(gate: string, condition: string): Advice | null {
  return findGate(gate)?.conditions[condition] ?? null;
}

/** Where to look first after a stop; null for a verdict that stopped nothing. */
export function lookAtAfter(verdict: Verdict | null): string | null {
  if (verdict === null || verdict.kind !== "fail") return null;
  const condition = stopConditionOf(verdict);
  return condition === null ? null : (adviceFor(verdict.gate, condition)?.lookAt ?? null);
}
