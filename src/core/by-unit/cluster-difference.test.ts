import { describe, expect, it } from "vitest";
import { clusterDifference, isRateHigher } from "./cluster-difference.ts";
import type { UnitName } from "../assign/unit-name.ts";
import { UnitTable } from "./unit-table.ts";

function table(stable: readonly (readonly [number, number])[], candidate: readonly (readonly [number, number])[]) {
  const made = new UnitTable();
  const add = (arm: "stable" | "candidate", from: number) => (tally: readonly [number, number], index: number) =>
    made.record({
      name: (from + index) as UnitName,
      arm,
      share: 0.5,
      requests: tally[0],
      failures: tally[1],
      warm: 0,
      slow: 0,
    });
  stable.forEach(add("stable", 0));
  candidate.forEach(add("candidate", 1_000_000));
  return made;
}

describe("the difference of rates by unit", () => {
  it("weighs units by their requests up to 20", () => {
    // Stable: (20·0.05 + 10·0.1) / 30. Candidate: (20·0.5 + 20·0) / 40, although one unit sent 1 000 requests.
    const found = clusterDifference(
      table(
        [
          [20, 1],
          [10, 1],
        ],
        [
          [1_000, 500],
          [20, 0],
        ],
      ),
      "failures",
    );
    expect(found?.rates.stable).toBeCloseTo(2 / 30, 12);
    expect(found?.rates.candidate).toBeCloseTo(0.25, 12);
    // Candidate's variance alone: 2·((20·0.25)² + (20·0.25)²) / 40² = 0.0625; stable's: 2·(2·(1/3)²)/30².
    expect((found?.standardError ?? 0) ** 2).toBeCloseTo(0.0625 + (2 * 2 * (1 / 3) ** 2) / 900, 12);
  });

  it("has a design effect of about 1 for units of one request each and of about 20 for units that fail as a whole", () => {
    const single = Array.from({ length: 400 }, (_, index) => [1, index % 20 === 0 ? 1 : 0] as const);
    expect(clusterDifference(table(single, single), "failures")?.designEffect).toBeCloseTo(1, 1);
    const whole = Array.from({ length: 400 }, (_, index) => [20, index % 20 === 0 ? 20 : 0] as const);
    expect(clusterDifference(table(whole, whole), "failures")?.designEffect).toBeCloseTo(20, 0);
  });

  it("says nothing while an arm has fewer than two units", () => {
    expect(clusterDifference(table([[5, 0]], [[5, 5]]), "failures")).toBeNull();
    expect(isRateHigher(null)).toBe(false);
  });

  it("calls a rate higher only beyond three standard errors", () => {
    const healthy = Array.from({ length: 100 }, (_, index) => [10, index % 10 === 0 ? 1 : 0] as const);
    expect(isRateHigher(clusterDifference(table(healthy, healthy), "failures"))).toBe(false);
    const dead = Array.from({ length: 3 }, () => [10, 10] as const);
    expect(isRateHigher(clusterDifference(table(healthy, dead), "failures"))).toBe(true);
  });
});
