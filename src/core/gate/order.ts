import type { GateName } from "./options.ts";

/** What a kind of gate reads: identity answers, probe reports, or the traffic and metrics of a stage. */
type GateSource = "identity" | "probe" | "traffic";

/**
 * Every kind of gate in the order in which a cause is named when several fail together: hard rules, then what users see,
 * then answers. Coverage stands before ΔS: sections that are gone move both, and coverage names the topic while ΔS shows
 * its shadow.
 */
const KINDS = {
  "schema-violation": "probe",
  parity: "identity",
  "sample-ratio": "traffic",
  "duplicate-effect": "traffic",
  "write-loss": "traffic",
  "sticky-violation": "traffic",
  "cache-collision": "traffic",
  "error-rate": "traffic",
  "error-rate-abs": "traffic",
  "error-rate-rel": "traffic",
  "five-xx-abs": "traffic",
  "five-xx-delta": "traffic",
  "five-xx-burst": "traffic",
  "new-error-class": "traffic",
  "tool-loop": "traffic",
  "p95-warm": "traffic",
  "p95-equal-load": "traffic",
  "cold-share": "traffic",
  "queue-age-slope": "traffic",
  "dedupe-miss": "traffic",
  "cache-hit-drop": "traffic",
  coverage: "probe",
  "delta-s": "probe",
  lambda: "probe",
  metric: "traffic",
  custom: "traffic",
  "peak-hour": "traffic",
} as const satisfies { readonly [name in GateName]: GateSource };

const ORDER: readonly string[] = Object.keys(KINDS);

/** Every kind of gate a document may use. */
export const GATE_NAMES = ORDER;

/** The kind alone, without a topic or an instance's name: `coverage[billing]` is `coverage`. */
export function gateBaseName(gate: string): string {
  const bracket = gate.indexOf("[");
  return bracket < 0 ? gate : gate.slice(0, bracket);
}

/** Place of a gate in the order of causes; unknown names come last. */
export function gateOrder(gate: string): number {
  const index = ORDER.indexOf(gateBaseName(gate));
  return index < 0 ? ORDER.length : index;
}

function sourceOf(gate: string): GateSource | undefined {
  return (KINDS as Readonly<Record<string, GateSource>>)[gateBaseName(gate)];
}

export function isTrafficGate(gate: string): boolean {
  return sourceOf(gate) === "traffic";
}

export function isProbeGate(gate: string): boolean {
  return sourceOf(gate) === "probe";
}
