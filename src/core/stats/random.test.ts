import { describe, expect, it } from "vitest";
import { randomStream } from "./random.ts";

const take = (seed: number, count: number): readonly number[] => {
  const next = randomStream(seed);
  return Array.from({ length: count }, () => next());
};

describe("random stream", () => {
  it("repeats itself for one seed and differs for the next", () => {
    expect(take(7, 50)).toEqual(take(7, 50));
    expect(take(7, 50)).not.toEqual(take(8, 50));
  });

  it("is uniform on [0, 1): 10 equal cells of 100 000 draws within 4 standard errors, for small seeds too", () => {
    for (const seed of [0, 1, 2, 2 ** 32 - 1]) {
      const cells = Array.from({ length: 10 }, () => 0);
      const values = take(seed, 100_000);
      expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
      for (const value of values) {
        const cell = Math.floor(value * 10);
        cells[cell] = (cells[cell] ?? 0) + 1;
      }
      for (const count of cells) expect(Math.abs(count - 10_000)).toBeLessThan(4 * Math.sqrt(9_000));
    }
  });

  it("has no correlation between neighbours beyond 4 standard errors", () => {
    const values = take(3, 100_000).map((value) => value - 0.5);
    const lagged = values.slice(1).reduce((sum, value, i) => sum + value * (values[i] ?? 0), 0);
    expect(Math.abs((12 * lagged) / 100_000)).toBeLessThan(4 / Math.sqrt(100_000));
  });

  it("refuses a seed that is not a u32", () => {
    expect(() => randomStream(-1)).toThrow(/seed/);
    expect(() => randomStream(2 ** 32)).toThrow(/seed/);
  });
});
