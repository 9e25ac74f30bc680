import { describe, expect, it } from "vitest";
import { binomialAtLeast, binomialAtMost, divergence } from "./binomial.ts";

describe("binomial", () => {
  it("gives the published chance that a healthy check (0.5 % errors, limit 1 %) fails by size of the window", () => {
    const rows = [
      [20, 0.095],
      [50, 0.22],
      [100, 0.09],
      [200, 0.08],
      [500, 0.042],
      [1000, 0.013],
    ] as const;
    for (const [requests, chance] of rows) {
      // The check passes at success >= 99 %.
      const tolerated = Math.floor(requests / 100);
      expect(Math.abs(binomialAtLeast(tolerated + 1, requests, 0.005) - chance)).toBeLessThan(0.006);
    }
  });

  it("gives the published errors of a coverage gate at 0.70: n 50 fails 0.75 16 %, passes 0.65 28 %; n 200 4.5 %, 7.8 %", () => {
    expect(binomialAtMost(34, 50, 0.75)).toBeCloseTo(0.16, 2);
    expect(binomialAtLeast(35, 50, 0.65)).toBeCloseTo(0.28, 2);
    expect(binomialAtMost(139, 200, 0.75)).toBeCloseTo(0.045, 2);
    expect(binomialAtLeast(140, 200, 0.65)).toBeCloseTo(0.078, 2);
  });

  it("has tails that meet and ends that are certain", () => {
    for (const k of [0, 3, 9]) expect(binomialAtMost(k, 10, 0.3) + binomialAtLeast(k + 1, 10, 0.3)).toBeCloseTo(1, 12);
    expect(binomialAtMost(10, 10, 0.3)).toBe(1);
    expect(binomialAtMost(-1, 10, 0.3)).toBe(0);
    expect(binomialAtLeast(0, 0, 0.3)).toBe(1);
    expect(binomialAtLeast(11, 10, 0.3)).toBe(0);
    expect(binomialAtLeast(1, 10, 0)).toBe(0);
  });

  it("keeps tails far below the smallest rounding error: 100 of 100 at 0.1 % is 1e-300", () => {
    expect(binomialAtLeast(100, 100, 0.001) / 1e-300).toBeCloseTo(1, 9);
  });

  it("diverge by ln 2 from a fair coin when certain, and not at all from themselves", () => {
    expect(divergence(1, 0.5)).toBeCloseTo(Math.LN2, 12);
    expect(divergence(0, 0.5)).toBeCloseTo(Math.LN2, 12);
    expect(divergence(0.3, 0.3)).toBeCloseTo(0, 12);
  });
});
