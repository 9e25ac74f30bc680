import { describe, expect, it } from "vitest";
import { adviceFor, GATE_NAMES, GATES, stopConditionOf } from "./gates.ts";

/** The enumeration of requirements.md §2.2, as the pages spell it; the deadline of a way back is no gate's. */
const PAGES =
  `delta_s_block, delta_s_p95_drift, coverage_low, coverage_topic_low, lambda_flip, flip_rate, schema_violation,
p95_warm, p95_equal_load, new_5xx_class, new_error_class, five_xx_abs, five_xx_delta, five_xx_burst, error_rate_abs,
error_rate_rel, cold_share, queue_age_slope, dedupe_miss, duplicate_effect, index_mismatch, cache_collision,
cache_hit_drop, tool_loop, sticky_violation, write_loss`.split(/,\s+/);

describe("stop conditions", () => {
  it.each(PAGES)("%s is a code of a gate, with advice", (code) => {
    const having = GATES.filter(({ conditions }) => code in conditions);
    expect(having.length).toBeGreaterThan(0);
    for (const { name } of having) expect(adviceFor(name, code)?.lookAt).toMatch(/\w/);
  });

  it("belong to every kind of gate; a verdict may name another one of its gate", () => {
    expect(GATE_NAMES.filter((gate) => stopConditionOf({ gate }) === null)).toEqual([]);
    expect(stopConditionOf({ gate: "coverage" })).toBe("coverage_low");
    expect(stopConditionOf({ gate: "new-error-class", condition: "new_5xx_class" })).toBe("new_5xx_class");
    expect(stopConditionOf({ gate: "nobody" })).toBeNull();
    expect(adviceFor("coverage", "p95_warm")).toBeNull();
  });
});
