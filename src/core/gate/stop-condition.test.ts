import { describe, expect, it } from "vitest";
import { adviceFor } from "./advice.ts";
import { GATE_NAMES } from "./order.ts";
import { stopConditionOf } from "./stop-condition.ts";

/** The enumeration of requirements.md §2.2, as the pages spell it. */
const PAGES =
  `delta_s_block, delta_s_p95_drift, coverage_low, coverage_topic_low, lambda_flip, flip_rate, schema_violation,
p95_warm, p95_equal_load, new_5xx_class, new_error_class, five_xx_abs, five_xx_delta, five_xx_burst, error_rate_abs,
error_rate_rel, cold_share, queue_age_slope, dedupe_miss, duplicate_effect, index_mismatch, cache_collision,
cache_hit_drop, tool_loop, sticky_violation, write_loss, ttr_exceeded`.split(/,\s+/);

/** Codes that a gate names itself, or that no gate but the rollback deadline stands behind. */
const NAMED_BY_GATES = ["delta_s_p95_drift", "lambda_flip", "new_5xx_class", "coverage_topic_low", "ttr_exceeded"];

describe("stop conditions", () => {
  it.each(PAGES)("%s is the code of a gate, or one that a gate names, and has advice (RB-10)", (code) => {
    const codes = GATE_NAMES.map((gate) => stopConditionOf({ gate }));
    expect(codes.includes(code as never) || NAMED_BY_GATES.includes(code)).toBe(true);
    expect(adviceFor(code as Parameters<typeof adviceFor>[0]).lookAt).not.toBe("");
  });

  it("belong to every kind of gate, to instances and to topics", () => {
    expect(GATE_NAMES.filter((gate) => stopConditionOf({ gate }) === null)).toEqual([]);
    expect(stopConditionOf({ gate: "metric[queue-age]" })).toBe("metric");
    expect(stopConditionOf({ gate: "coverage[billing]" })).toBe("coverage_topic_low");
    expect(stopConditionOf({ gate: "new-error-class", condition: "new_5xx_class" })).toBe("new_5xx_class");
    expect(stopConditionOf({ gate: "nobody" })).toBeNull();
  });
});
