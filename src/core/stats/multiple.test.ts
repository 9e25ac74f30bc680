import { describe, expect, it } from "vitest";
import { eBenjaminiHochberg, holm, lnAverageEValue, splitAlpha } from "./multiple.ts";

const lnAll = (values: readonly number[]): readonly number[] => values.map(Math.log);

describe("many hypotheses", () => {
  it("e-BH at 0.05 over 4 hypotheses needs 80 for the first, 40 each for two, 20 each for four", () => {
    expect(eBenjaminiHochberg(lnAll([79, 1, 1, 1]), 0.05)).toEqual([false, false, false, false]);
    expect(eBenjaminiHochberg(lnAll([1, 81, 1, 1]), 0.05)).toEqual([false, true, false, false]);
    expect(eBenjaminiHochberg(lnAll([41, 1, 41, 1]), 0.05)).toEqual([true, false, true, false]);
    expect(eBenjaminiHochberg(lnAll([21, 21, 21, 21]), 0.05)).toEqual([true, true, true, true]);
    expect(eBenjaminiHochberg([], 0.05)).toEqual([]);
  });

  it("average e-value of 30 and 0 is 15; weights count", () => {
    expect(lnAverageEValue([Math.log(30), Number.NEGATIVE_INFINITY])).toBeCloseTo(Math.log(15), 12);
    expect(lnAverageEValue(lnAll([30, 10]), [0.25, 0.75])).toBeCloseTo(Math.log(15), 12);
    expect(lnAverageEValue([])).toBe(0);
    expect(() => lnAverageEValue([0, 0], [0.5, 0.4])).toThrow(/sum to 1/);
  });

  it("Holm at 0.05 on .01 .04 .03 .005 rejects .01 and .005 only", () => {
    expect(holm([0.01, 0.04, 0.03, 0.005], 0.05)).toEqual([true, false, false, true]);
    expect(holm([0.02, 0.02], 0.05)).toEqual([true, true]);
    expect(holm([], 0.05)).toEqual([]);
  });

  it("gives each of 10 gates 0.001 of a budget of 0.01", () => {
    expect(splitAlpha(0.01, 10)).toBeCloseTo(0.001, 15);
    expect(() => splitAlpha(0.01, 0)).toThrow(/gates/);
  });
});
