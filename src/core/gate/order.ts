const TRAFFIC_GATES = ["error-rate", "new-error-class", "p95-warm"] as const;
const PROBE_GATES = ["schema-violation", "delta-s", "coverage", "lambda"] as const;
/**
 * Gate names in the order in which a cause is named when several fail together. Coverage stands before ΔS: sections that
 * are gone move both, and coverage names the topic while ΔS shows its shadow.
 */
const ORDER: readonly string[] = [
  "schema-violation",
  "parity",
  "error-rate",
  "new-error-class",
  "p95-warm",
  "coverage",
  "delta-s",
  "lambda",
];

/** Every gate name a document may use. */
export const GATE_NAMES = ORDER;

/** The gate's name without its topic: `coverage[billing]` is `coverage`. */
export function gateBaseName(gate: string): string {
  const bracket = gate.indexOf("[");
  return bracket < 0 ? gate : gate.slice(0, bracket);
}

/** Place of a gate, topic or not, in the order of causes; unknown names come last. */
export function gateOrder(gate: string): number {
  const index = ORDER.indexOf(gateBaseName(gate));
  return index < 0 ? ORDER.length : index;
}

export function isTrafficGate(gate: string): boolean {
  return (TRAFFIC_GATES as readonly string[]).includes(gate);
}

export function isProbeGate(gate: string): boolean {
  return (PROBE_GATES as readonly string[]).includes(gate);
}
