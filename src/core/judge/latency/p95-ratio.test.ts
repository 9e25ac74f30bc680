import { describe, expect, it } from "vitest";
import { binOf, mergeBins, type SparseBins } from "../../window/sketch.ts";
import { measureP95, p95RatioInterval } from "./p95-ratio.ts";

/** Latencies of 10, 20, 30, … ms, one of each; times a factor. */
const ladder = (count: number, factor = 1): SparseBins =>
  Array.from({ length: count }, (_, index) => (index + 1) * 10 * factor).reduce<SparseBins>(
    (all, ms) => mergeBins(all, [binOf(ms), 1]),
    [],
  );
/** A bin is at most 1/64 wide and its middle is told. */
const near = (value: number | undefined, expected: number) => {
  expect(value).toBeGreaterThan(expected * (1 - 1 / 64));
  expect(value).toBeLessThan(expected * (1 + 1 / 64));
};

describe("the p95 of two arms", () => {
  it("is each arm's own and their ratio, the candidate's above stable's", () => {
    const measured = measureP95({ stable: ladder(100), candidate: ladder(100, 2) });
    near(measured?.stableMs, 950);
    near(measured?.candidateMs, 1_900);
    near(measured?.ratio, 2);
  });

  it("is unknown while an arm has no warm answer", () => {
    expect(measureP95({ stable: [], candidate: ladder(9) })).toBeNull();
    expect(measureP95({ stable: ladder(9), candidate: [] })).toBeNull();
  });

  it("has the interval of its ranks: of 400 answers the 371st to the 390th", () => {
    // 0.95 +- 2.2414 sqrt(0.95 * 0.05 / 400) is 0.92557..0.97443: ranks ceil(370.2) = 371 and ceil(389.8) = 390.
    const interval = p95RatioInterval({ stable: ladder(400), candidate: ladder(400, 3) });
    near(interval?.[0], (3 * 3_710) / 3_900);
    near(interval?.[1], (3 * 3_900) / 3_710);
  });

  it("has none while the upper rank lies beyond the last answer: fewer than 96 of either arm", () => {
    const of = (stable: number, candidate: number) =>
      p95RatioInterval({ stable: ladder(stable), candidate: ladder(candidate) }) !== null;
    expect([of(96, 96), of(95, 96), of(96, 95), of(0, 96), of(96, 0)]).toEqual([true, false, false, false, false]);
  });
});
