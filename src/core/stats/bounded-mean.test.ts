import { describe, expect, it } from "vitest";
import { boundedMeanInterval, lnMeanBeyond } from "./bounded-mean.ts";
import { randomStream } from "./random.ts";

const score = { range: { low: 0, high: 1 }, alpha: 0.05 };
const paired = { range: { low: -1, high: 1 }, alpha: 0.05 };
const coin = (count: number, rate: number, seed: number): readonly number[] => {
  const next = randomStream(seed);
  return Array.from({ length: count }, () => (next() < rate ? 1 : 0));
};
const even = (count: number, centre: number, spread: number, seed: number): readonly number[] => {
  const next = randomStream(seed);
  return Array.from({ length: count }, () => centre + spread * (next() - 0.5));
};

describe("bounded mean by betting", () => {
  it("is the whole range without values, and contains the mean and narrows with them", () => {
    expect(boundedMeanInterval([], paired)).toEqual([-1, 1]);
    const widths = [20, 100, 500, 2500].map((count) => {
      const [low, high] = boundedMeanInterval(coin(count, 0.3, 2), score);
      expect(low).toBeLessThan(0.3);
      expect(high).toBeGreaterThan(0.3);
      return high - low;
    });
    expect([...widths].sort((a, b) => b - a)).toEqual(widths);
  });

  it("is sharp for values of little spread: 400 values of sd 0.06 are known within 0.02", () => {
    const [low, high] = boundedMeanInterval(even(400, 0.7, 0.2, 3), score);
    expect(high - low).toBeLessThan(0.04);
    expect(low).toBeLessThan(0.7);
    expect(high).toBeGreaterThan(0.7);
  });

  it("is sharper at a known size when told it", () => {
    const width = (planned: { planned?: number }, seed: number): number => {
      const [low, high] = boundedMeanInterval(even(200, 0, 1.8, seed), { ...paired, ...planned });
      return high - low;
    };
    for (const seed of [5, 6, 7, 8]) expect(width({ planned: 200 }, seed)).toBeLessThan(width({}, seed));
  });

  it("turns with the values: the mirrored values have the mirrored interval", () => {
    const values = even(100, 0.1, 0.5, 8);
    const [low, high] = boundedMeanInterval(values, paired);
    const [mirroredLow, mirroredHigh] = boundedMeanInterval(
      values.map((value) => -value),
      paired,
    );
    expect(mirroredLow).toBeCloseTo(-high, 6);
    expect(mirroredHigh).toBeCloseTo(-low, 6);
  });

  it("proves a paired drop of 0.15 beyond 0.05 within 200 questions of sd 0.2, and never from no values", () => {
    const drops = even(200, -0.15, 0.7, 4);
    expect(lnMeanBeyond(drops, -0.05, "below", { ...paired, planned: 200 })).toBeGreaterThan(Math.log(20));
    expect(lnMeanBeyond(drops, -0.05, "above", { ...paired, planned: 200 })).toBeLessThan(0);
    expect(lnMeanBeyond([], -0.05, "below", paired)).toBe(0);
  });

  it("excludes the true mean at any of seven sizes up to 500 in at most 5 % of runs", () => {
    let wrong = 0;
    for (let run = 0; run < 300; run++) {
      const values = coin(500, 0.1, 1000 + run);
      const crossed = [25, 50, 100, 200, 300, 400, 500].some((count) => {
        const seen = values.slice(0, count);
        const goal = Math.log(40);
        return lnMeanBeyond(seen, 0.1, "above", score) >= goal || lnMeanBeyond(seen, 0.1, "below", score) >= goal;
      });
      if (crossed) wrong++;
    }
    expect(wrong).toBeLessThanOrEqual(15);
  });

  it("refuses values outside the range", () => {
    expect(() => boundedMeanInterval([1.2], score)).toThrow(/lies in 0..1/);
    expect(() => lnMeanBeyond([0.5], 0, "above", score)).toThrow(/inside the range/);
  });
});
