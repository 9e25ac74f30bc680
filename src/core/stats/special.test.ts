import { describe, expect, it } from "vitest";
import { lnBeta, lnBetaCdf, lnGamma, lnSumExp, normalCdf, normalQuantile, studentQuantile } from "./special.ts";

describe("special functions", () => {
  it("give ln 9! as lnGamma(10) and ln(1/60) as lnBeta(3, 4)", () => {
    expect(lnGamma(10)).toBeCloseTo(Math.log(362_880), 12);
    expect(lnBeta(3, 4)).toBeCloseTo(-Math.log(60), 12);
  });

  it("give I_0.5(2, 3) = 11/16 and its complement 5/16", () => {
    expect(Math.exp(lnBetaCdf(0.5, 2, 3))).toBeCloseTo(11 / 16, 12);
    expect(Math.exp(lnBetaCdf(0.5, 2, 3, "upper"))).toBeCloseTo(5 / 16, 12);
  });

  it("keep the far tail that underflows: I_x(a, 1) = x^a, and the mirrored upper tail", () => {
    expect(lnBetaCdf(0.01, 1000, 1)).toBeCloseTo(1000 * Math.log(0.01), 8);
    expect(lnBetaCdf(0.99, 1, 1000, "upper")).toBeCloseTo(1000 * Math.log(0.01), 8);
  });

  it("are continuous where the library hands over to the continued fraction", () => {
    // Around e^-460 the logarithm must keep growing by nearly equal steps.
    const at = (x: number): number => lnBetaCdf(x, 300, 700);
    const steps = [0.06, 0.0605, 0.061, 0.0615, 0.062].map(at);
    for (let i = 2; i < steps.length; i++) {
      const [before, middle, after] = [steps[i - 2] ?? 0, steps[i - 1] ?? 0, steps[i] ?? 0];
      expect((after - middle) / (middle - before)).toBeGreaterThan(0.98);
      expect((after - middle) / (middle - before)).toBeLessThan(1);
    }
  });

  it("answer the nearer end outside 0..1", () => {
    expect(lnBetaCdf(-0.1, 2, 2)).toBe(Number.NEGATIVE_INFINITY);
    expect(lnBetaCdf(1.5, 2, 2)).toBe(0);
    expect(lnBetaCdf(-0.1, 2, 2, "upper")).toBe(0);
    expect(() => lnBetaCdf(0.5, 0, 1)).toThrow(/a, b > 0/);
  });

  it("invert the normal distribution from 1e-12 to 1 - 1e-9", () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 12);
    expect(normalQuantile(0.999)).toBeCloseTo(3.090232306167813, 11);
    for (const share of [1e-12, 1e-6, 0.01, 0.3, 0.5, 0.8, 1 - 1e-9])
      expect(Math.abs(normalCdf(normalQuantile(share)) / share - 1)).toBeLessThan(1e-9);
    expect(() => normalQuantile(1)).toThrow(/strictly between/);
  });

  it("give the tabled t quantiles: 12.7062 for 1, 2.2281 for 10, 1.9799 for 120 degrees of freedom at 0.975", () => {
    expect(studentQuantile(0.975, 1)).toBeCloseTo(12.7062, 4);
    expect(studentQuantile(0.975, 10)).toBeCloseTo(2.2281, 4);
    expect(studentQuantile(0.025, 120)).toBeCloseTo(-1.9799, 4);
    expect(studentQuantile(0.5, 7)).toBeCloseTo(0, 9);
  });

  it("sum exponentials that would overflow", () => {
    expect(lnSumExp([1000, 1000])).toBeCloseTo(1000 + Math.LN2, 12);
    expect(lnSumExp([])).toBe(Number.NEGATIVE_INFINITY);
  });
});
