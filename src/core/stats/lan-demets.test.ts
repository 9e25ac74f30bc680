import { describe, expect, it } from "vitest";
import vectors from "../../../test/vectors/stats.json" with { type: "json" };
import { crossingChances, runOverFractions, type Spending, spendingBounds } from "./lan-demets.ts";
import { normalCdf } from "./special.ts";

const even = (looks: number): readonly number[] => Array.from({ length: looks }, (_, i) => (i + 1) / looks);
const total = (chances: readonly number[]): number => chances.reduce((sum, chance) => sum + chance, 0);

/** Scale of bounds of a given shape that spends exactly `alpha`. */
function scaleFor(shape: readonly number[], alpha: number, sides: "one-sided" | "two-sided"): number {
  let [low, high] = [1, 4];
  for (let step = 0; step < 40; step++) {
    const scale = (low + high) / 2;
    const spent = total(
      crossingChances(
        shape.map((z) => z * scale),
        even(shape.length),
        sides,
      ),
    );
    if (spent > alpha) low = scale;
    else high = scale;
  }
  return high;
}

describe("Lan-DeMets bounds", () => {
  for (const { spending, fractions, bounds } of vectors.lanDeMets)
    it(`are ${bounds.join(" ")} for ${spending.kind} spending of 0.05 two-sided`, () => {
      // The published second O'Brien-Fleming value is 1e-4 below the exact integral, 3.35701.
      const found = spendingBounds({ fractions, alpha: 0.05, spending: spending as Spending, sides: "two-sided" });
      for (const [look, bound] of bounds.entries()) expect(Math.abs((found[look] ?? 0) - bound)).toBeLessThan(1.5e-4);
      const spent = total(crossingChances(found, fractions, "two-sided"));
      const last = fractions.at(-1) ?? 0;
      expect(spent).toBeCloseTo(spending.kind === "power" ? 0.05 * last ** 3 : 0.05, 6);
    });

  it("keep their level when 810 are seen of 300 planned: .00095 .00241 .00410 .00636 of alpha .01 t^2", () => {
    const { counts, planned, alpha, nominal } = vectors.runOver;
    const fractions = runOverFractions(counts, planned);
    const spending = { kind: "power", exponent: 2 } as const;
    const found = spendingBounds({ fractions, alpha, spending, sides: "two-sided" });
    for (const [look, level] of nominal.entries())
      expect(Math.abs(2 * normalCdf(-(found[look] ?? 0)) - level)).toBeLessThan(6e-6);
    expect(runOverFractions([100, 150], 300)).toEqual([1 / 3, 0.5]);
  });

  it("refuse looks that do not ascend to at most 1", () => {
    const plan = { alpha: 0.05, spending: { kind: "pocock" }, sides: "two-sided" } as const;
    expect(() => spendingBounds({ ...plan, fractions: [0.5, 0.5] })).toThrow(/ascend/);
    expect(() => spendingBounds({ ...plan, fractions: [0.5, 1.1] })).toThrow(/ascend/);
    expect(() => spendingBounds({ ...plan, fractions: [] })).toThrow(/ascend/);
  });
});

describe("crossing chances", () => {
  it("give the published inflation of |z| > 1.96 at 1, 2, 5, 10, 20, 50 looks", () => {
    for (const [looks, chance] of [
      [1, 0.05],
      [2, 0.083],
      [5, 0.142],
      [10, 0.193],
      [20, 0.248],
      [50, 0.32],
    ] as const) {
      const bounds = even(looks).map(() => 1.959964);
      expect(Math.abs(total(crossingChances(bounds, even(looks), "two-sided")) - chance)).toBeLessThan(6e-4);
    }
  });

  it("give the published one-sided totals at 2, 4, 10, 20 looks: .042 .063 .097 .124", () => {
    for (const [looks, chance] of [
      [2, 0.042],
      [4, 0.063],
      [10, 0.097],
      [20, 0.124],
    ] as const) {
      const bounds = even(looks).map(() => 1.959964);
      expect(Math.abs(total(crossingChances(bounds, even(looks), "one-sided")) - chance)).toBeLessThan(6e-4);
    }
  });

  it("reproduce the classic O'Brien-Fleming bounds at four looks: 4.05 2.86 2.34 2.02", () => {
    const shape = even(4).map((t) => 1 / Math.sqrt(t));
    const scale = scaleFor(shape, 0.05, "two-sided");
    const published = [4.05, 2.86, 2.34, 2.02];
    for (const [look, z] of published.entries()) expect((shape[look] ?? 0) * scale).toBeCloseTo(z, 2);
  });

  const designs = [
    { looks: 4, power: 0.8, fixed: 1.959964 + 0.841621, most: 120.2, expected: [117.5, 108.8, 80.5, 52.2] },
    { looks: 15, power: 0.9, fixed: 1.959964 + 1.281552, most: 130.5, expected: [126.4, 111.2, 66.4, 35.4] },
  ];
  for (const { looks, power, fixed, most, expected } of designs)
    it(`reproduce the published Pocock design with ${looks} looks: ${most} % at most, ${expected.join(" ")} % expected`, () => {
      const scale = scaleFor(
        even(looks).map(() => 1),
        0.05,
        "two-sided",
      );
      const bounds = even(looks).map(() => scale);
      const chances = (drift: number): readonly number[] => crossingChances(bounds, even(looks), "two-sided", drift);
      let [low, high] = [1, 6];
      for (let step = 0; step < 30; step++) {
        const drift = (low + high) / 2;
        if (total(chances(drift)) < power) low = drift;
        else high = drift;
      }
      const inflation = 100 * (high / fixed) ** 2;
      expect(Math.abs(inflation - most)).toBeLessThan(0.15);
      for (const [i, size] of expected.entries()) {
        const stops = chances(high * i * 0.5);
        const seen = stops.reduce((sum, chance, look) => sum + chance * ((look + 1) / looks), 0) + 1 - total(stops);
        expect(Math.abs(inflation * seen - size)).toBeLessThan(0.15);
      }
    });
});
