import { gateBaseName } from "./order.ts";
import type { GateName } from "./options.ts";

/**
 * The reason codes of a stop, as the five pages name their stop conditions; stable words for other programs.
 * @source requirements.md §2.2
 */
export type StopCondition =
  | "delta_s_block"
  | "delta_s_p95_drift"
  | "coverage_low"
  | "coverage_topic_low"
  | "lambda_flip"
  | "flip_rate"
  | "schema_violation"
  | "p95_warm"
  | "p95_equal_load"
  | "new_5xx_class"
  | "new_error_class"
  | "five_xx_abs"
  | "five_xx_delta"
  | "five_xx_burst"
  | "error_rate_abs"
  | "error_rate_rel"
  | "cold_share"
  | "queue_age_slope"
  | "dedupe_miss"
  | "duplicate_effect"
  | "index_mismatch"
  | "cache_collision"
  | "cache_hit_drop"
  | "tool_loop"
  | "sticky_violation"
  | "write_loss"
  | "ttr_exceeded"
  | "sample_ratio"
  | "metric"
  | "custom"
  | "peak_hour";

/** The code of each kind; a gate with several reasons names the other ones itself, in its verdict. */
const CODES: { readonly [name in GateName]: StopCondition } = {
  "schema-violation": "schema_violation",
  parity: "index_mismatch",
  "sample-ratio": "sample_ratio",
  "duplicate-effect": "duplicate_effect",
  "write-loss": "write_loss",
  "sticky-violation": "sticky_violation",
  "cache-collision": "cache_collision",
  "error-rate": "error_rate_rel",
  "error-rate-abs": "error_rate_abs",
  "error-rate-rel": "error_rate_rel",
  "five-xx-abs": "five_xx_abs",
  "five-xx-delta": "five_xx_delta",
  "five-xx-burst": "five_xx_burst",
  "new-error-class": "new_error_class",
  "tool-loop": "tool_loop",
  "p95-warm": "p95_warm",
  "p95-equal-load": "p95_equal_load",
  "cold-share": "cold_share",
  "queue-age-slope": "queue_age_slope",
  "dedupe-miss": "dedupe_miss",
  "cache-hit-drop": "cache_hit_drop",
  coverage: "coverage_low",
  "delta-s": "delta_s_block",
  lambda: "flip_rate",
  metric: "metric",
  custom: "custom",
  "peak-hour": "peak_hour",
};

/** The code of a verdict's gate: the one the gate itself named, or its kind's. Null for a name no gate has. */
export function stopConditionOf(verdict: {
  readonly gate: string;
  readonly condition?: StopCondition;
}): StopCondition | null {
  if (verdict.condition === undefined && verdict.gate.startsWith("coverage[")) return "coverage_topic_low";
  return verdict.condition ?? CODES[gateBaseName(verdict.gate) as GateName] ?? null;
}
