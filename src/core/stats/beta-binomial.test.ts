import fc from "fast-check";
import { describe, expect, it } from "vitest";
import vectors from "../../../test/vectors/stats.json" with { type: "json" };
import { lnBetaBinomial, lnBetaMixture, type MixtureSide, rateBound, rateInterval } from "./beta-binomial.ts";
import { randomStream } from "./random.ts";

describe("beta-binomial mixture", () => {
  for (const { side, g, vOpt, lnAt10, boundAt100 } of vectors.betaBinomial)
    it(`gives the published values for alternatives ${side} the null rate ${g}`, () => {
      // v = p (1 - p) n and s = y - p n translate the published (s, v) into counts.
      const samples = vOpt / (g * (1 - g));
      const at = (s: number): number =>
        lnBetaBinomial(
          { successes: g * samples + s, total: samples },
          g,
          { samples, alpha: 0.05 },
          side as MixtureSide,
        );
      expect(at(10)).toBeCloseTo(lnAt10, 6);
      expect(at(boundAt100)).toBeCloseTo(Math.log(20), 5);
    });

  for (const { successes, total, tunedFor, low, high } of vectors.rateInterval)
    it(`puts ${successes} of ${total} between ${low} and ${high}`, () => {
      const interval = rateInterval({ successes, total }, 0.05, { samples: tunedFor, alpha: 0.05 });
      expect(Math.abs(interval[0] - low)).toBeLessThan(2.5e-6);
      expect(Math.abs(interval[1] - high)).toBeLessThan(2.5e-6);
    });

  it("is a martingale: the next trial leaves its expectation under the null rate unchanged", () => {
    const rates = fc.double({ min: 0.001, max: 0.999, noNaN: true });
    const sides = fc.constantFrom<MixtureSide>("above", "below", "both");
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), rates, sides, (successes, failures, rate, side) => {
        const total = successes + failures;
        const at = (more: number, of: number): number =>
          lnBetaMixture({ successes: successes + more, total: total + of }, rate, 0.7, 3, side);
        const next = rate * Math.exp(at(1, 1) - at(0, 0)) + (1 - rate) * Math.exp(at(0, 1) - at(0, 0));
        expect(next).toBeCloseTo(1, 7);
      }),
      { numRuns: 200, seed: 3 },
    );
  });

  it("has an interval that contains the estimate, narrows with data and is [0, 1] without", () => {
    const tuning = { samples: 300, alpha: 0.05 };
    expect(rateInterval({ successes: 0, total: 0 }, 0.05, tuning)).toEqual([0, 1]);
    const widths = [20, 200, 2000, 20_000].map((total) => {
      const [low, high] = rateInterval({ successes: total / 10, total }, 0.05, tuning);
      expect(low).toBeLessThan(0.1);
      expect(high).toBeGreaterThan(0.1);
      return high - low;
    });
    expect([...widths].sort((a, b) => b - a)).toEqual(widths);
    expect(rateInterval({ successes: 50, total: 50 }, 0.05, tuning)[1]).toBe(1);
  });

  it("bounds one end more tightly than the interval does", () => {
    const [tally, tuning] = [
      { successes: 30, total: 300 },
      { samples: 300, alpha: 0.05 },
    ];
    const [low, high] = rateInterval(tally, 0.05, tuning);
    expect(rateBound(tally, 0.05, tuning, "low")).toBeGreaterThan(low);
    expect(rateBound(tally, 0.05, tuning, "high")).toBeLessThan(high);
  });

  it("excludes the true rate at any of 1000 looks in at most 5 % of runs", () => {
    let crossed = 0;
    for (let run = 0; run < 200; run++) {
      const next = randomStream(run);
      let successes = 0;
      for (let total = 1; total <= 1000; total++) {
        if (next() < 0.1) successes++;
        if (lnBetaBinomial({ successes, total }, 0.1, { samples: 200, alpha: 0.05 }, "both") >= Math.log(20)) {
          crossed++;
          break;
        }
      }
    }
    expect(crossed).toBeLessThanOrEqual(10);
    expect(crossed).toBeGreaterThan(0);
  });

  it("refuses a null rate of 0 or 1", () => {
    expect(() => lnBetaMixture({ successes: 1, total: 2 }, 0, 1, 1, "both")).toThrow(/null rate/);
  });
});
