import { describe, expect, it } from "vitest";
import {
  addValue,
  asymptoticHalfWidth,
  asymptoticInterval,
  mergeMoments,
  type Moments,
  NO_MOMENTS,
} from "./asymptotic-cs.ts";
import { randomStream } from "./random.ts";

const momentsOf = (values: readonly number[]): Moments => values.reduce(addValue, NO_MOMENTS);

describe("moments", () => {
  it("give mean 5 and squares 32 for 2 4 4 4 5 5 7 9, however they are split and merged", () => {
    const values = [2, 4, 4, 4, 5, 5, 7, 9];
    for (const cut of [0, 1, 5, 8]) {
      const merged = mergeMoments(momentsOf(values.slice(0, cut)), momentsOf(values.slice(cut)));
      expect(merged.count).toBe(8);
      expect(merged.mean).toBeCloseTo(5, 12);
      expect(merged.squares).toBeCloseTo(32, 12);
    }
  });

  it("keep their digits far from zero and refuse NaN", () => {
    expect(momentsOf([1e9 + 1, 1e9 + 2, 1e9 + 3]).squares).toBeCloseTo(2, 6);
    expect(() => momentsOf([Number.NaN])).toThrow(/finite/);
  });
});

describe("asymptotic confidence sequence", () => {
  it("has the published critical values at alpha 0.01: 3.57 at its tuned size, 4.32 at a tenth of it", () => {
    const critical = (count: number): number => asymptoticHalfWidth(count, 1, 0.01, 10_000) * Math.sqrt(count);
    expect(critical(10_000)).toBeCloseTo(3.57, 2);
    expect(critical(1000)).toBeCloseTo(4.32, 2);
  });

  it("is narrower on one side, and narrows with the sample", () => {
    expect(asymptoticHalfWidth(1000, 1, 0.01, 1000, "one-sided")).toBeLessThan(
      asymptoticHalfWidth(1000, 1, 0.01, 1000),
    );
    const widths = [10, 100, 1000, 1e5].map((count) => asymptoticHalfWidth(count, 1, 0.05, 1000));
    expect([...widths].sort((a, b) => b - a)).toEqual(widths);
  });

  it("misses the mean of skewed values at any size from 100 to 3000 in at most 5 % of runs", () => {
    let missed = 0;
    for (let run = 0; run < 200; run++) {
      const next = randomStream(run);
      let moments = NO_MOMENTS;
      for (let i = 1; i <= 3000; i++) {
        moments = addValue(moments, -Math.log(1 - next()));
        const interval = i >= 100 ? asymptoticInterval(moments, 0.05, 1000) : null;
        if (interval !== null && (interval[0] > 1 || interval[1] < 1)) {
          missed++;
          break;
        }
      }
    }
    expect(missed).toBeLessThanOrEqual(10);
  });

  it("has no interval below two values", () => {
    expect(asymptoticInterval(momentsOf([1]), 0.05, 100)).toBeNull();
  });
});
