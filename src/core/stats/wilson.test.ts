import { describe, expect, it } from "vitest";
import { wilson } from "./wilson.ts";

describe("Wilson interval", () => {
  it("gives 0.2 +- by hand: 2 of 10 at z = 2 is [0.4 - 0.2828..., ...] over 1.4", () => {
    // centre (0.2 + 0.2) / 1.4, spread 2 sqrt((0.16 + 0.1) / 10) / 1.4
    const [low, high] = wilson(2, 10, 2);
    expect(low).toBeCloseTo((0.4 - 2 * Math.sqrt(0.026)) / 1.4, 12);
    expect(high).toBeCloseTo((0.4 + 2 * Math.sqrt(0.026)) / 1.4, 12);
  });

  it("claims coverage of at least 0.70 at 95 % one-sided from .90 at 20, .825 at 40, .82 at 50, .78 at 100, .755 at 200", () => {
    for (const [right, total] of [
      [18, 20],
      [33, 40],
      [41, 50],
      [78, 100],
      [151, 200],
    ] as const) {
      expect(wilson(right, total, 1.645)[0]).toBeGreaterThanOrEqual(0.7);
      expect(wilson(right - 1, total, 1.645)[0]).toBeLessThan(0.7);
    }
  });

  it("stays inside 0..1 at the ends", () => {
    expect(wilson(0, 5, 1.96)[0]).toBe(0);
    expect(wilson(5, 5, 1.96)[1]).toBe(1);
    expect(() => wilson(0, 0, 1.96)).toThrow(/total >= 1/);
  });
});
