import { describe, expect, it } from "vitest";
import vectors from "../../../test/vectors/stats.json" with { type: "json" };
import { bestMixtureWidth, lnNormalMixture, normalMixtureBound, type Sides } from "./normal-mixture.ts";

describe("normal mixture", () => {
  for (const row of vectors.normalMixture)
    it(`gives the published ${row.sides} values at v 100, tuned for v ${row.vOpt}`, () => {
      const sides = row.sides as Sides;
      const rho = bestMixtureWidth(row.vOpt, 0.05, sides);
      if (row.rho !== undefined) expect(rho).toBeCloseTo(row.rho, 5);
      expect(lnNormalMixture(10, 100, rho, sides)).toBeCloseTo(row.lnAt10, 6);
      expect(normalMixtureBound(100, 0.05, rho, sides)).toBeCloseTo(row.boundAt100, 5);
    });

  it("refuses an error rate that has no boundary", () => {
    expect(() => bestMixtureWidth(100, 0.5, "one-sided")).toThrow(/alpha/);
  });
});
