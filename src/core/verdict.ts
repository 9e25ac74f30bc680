import type { ByArm } from "./arm.ts";

export type VerdictKind = "pass" | "fail" | "inconclusive" | "no-data" | "error";

/**
 * What a gate says. Only `pass` may promote and only `fail` may roll back; `inconclusive`, `no-data` and `error` hold
 * the stage. "Could not measure" is never a pass, nor the candidate's fault.
 */
export interface Verdict {
  /** The gate's kind: `error-rate`, `coverage`. */
  readonly gate: string;
  /** Which one it is, for a kind that may be used more than once. */
  readonly instance?: string;
  /** What the verdict is about, where it is not about all: a topic of the gold set. */
  readonly topic?: string;
  /** The users it is about, where it is not about all: `tenant=acme`, or `tenant#9f3a2c11` where values are hashed. */
  readonly segment?: string;
  readonly kind: VerdictKind;
  /** The reason code, where it is not the first one of the gate's kind. */
  readonly condition?: string;
  /** Point estimate in the gate's unit (a share, a ratio, a difference); null when nothing was measured. */
  readonly estimate: number | null;
  /** Confidence interval or sequence of the estimate, same unit; null when the gate has none. */
  readonly interval: readonly [low: number, high: number] | null;
  /** Requests or questions behind the estimate, by arm. */
  readonly samples: ByArm<number>;
  /** The limit or margin the verdict was taken against, same unit as the estimate. */
  readonly threshold: number | null;
  /** Promised probability of a false `fail` over the whole rollout; null for hard rules. */
  readonly alpha: number | null;
  /** Evidence for harm; the gate fails at 1/alpha. Null where the gate keeps no e-value. */
  readonly eValue: number | null;
  /** One sentence: what was found and what was expected. */
  readonly reason: string;
  /** What would settle the question ("about 1400 more requests"); null when settled. */
  readonly needs: string | null;
}

/** Order in which the overall verdict is taken: a fail wins, then the ways of not knowing, then pass. */
const SEVERITY: readonly VerdictKind[] = ["fail", "error", "no-data", "inconclusive", "pass"];

/** Overall verdict of a set. An empty set is `no-data`: nothing measured never passes. */
export function overall(verdicts: readonly Verdict[]): VerdictKind {
  return SEVERITY.find((kind) => verdicts.some((verdict) => verdict.kind === kind)) ?? "no-data";
}

/** A verdict without a measurement. */
export function unmeasured(
  gate: string,
  kind: "no-data" | "error",
  reason: string,
  needs: string | null = null,
): Verdict {
  const samples = { stable: 0, candidate: 0 };
  return {
    gate,
    kind,
    estimate: null,
    interval: null,
    samples,
    threshold: null,
    alpha: null,
    eValue: null,
    reason,
    needs,
  };
}
