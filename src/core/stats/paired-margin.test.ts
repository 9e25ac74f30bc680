import { describe, expect, it } from "vitest";
import { lnBelowMargin, pairedMargin, pairsToMargin } from "./paired-margin.ts";
import { randomStream } from "./random.ts";

describe("the margin that pairs exclude", () => {
  it("is worked by hand: one pair of each kind at a margin of 0.1", () => {
    const stakes = [0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.95];
    const byHand = stakes.map((stake) => (1 - 0.9 * stake) * (1 + 1.1 * stake) * (1 + 0.1 * stake));
    const mean = byHand.reduce((sum, one) => sum + one, 0) / stakes.length;
    expect(Math.exp(lnBelowMargin({ candidateOnly: 1, stableOnly: 1, pairs: 3 }, 0.1))).toBeCloseTo(mean, 10);
    expect(lnBelowMargin({ candidateOnly: 0, stableOnly: 0, pairs: 0 }, 0.1)).toBe(0);
  });

  it("needs as many clean pairs as it says, and not one less", () => {
    const none = { candidateOnly: 0, stableOnly: 0, pairs: 0 };
    for (const margin of [0.005, 0.01, 0.02, 0.1]) {
      const needed = pairsToMargin(none, margin, 0.05) ?? 0;
      expect(pairedMargin({ ...none, pairs: needed }, 0.05)).toBeLessThanOrEqual(margin);
      expect(pairedMargin({ ...none, pairs: needed - 1 }, 0.05) ?? 1).toBeGreaterThan(margin);
    }
    expect(pairsToMargin(none, 0.02, 0.05)).toBe(238);
    expect(pairsToMargin({ candidateOnly: 50, stableOnly: 0, pairs: 1_000 }, 0.02, 0.05)).toBeNull();
    expect(pairedMargin({ candidateOnly: 3, stableOnly: 0, pairs: 3 }, 0.05)).toBeNull();
  });

  it("is excluded by mistake in at most 5 % of runs, however often they are looked at", () => {
    const random = randomStream(3);
    let mistakes = 0;
    for (let run = 0; run < 2_000; run++) {
      let [candidateOnly, stableOnly] = [0, 0];
      for (let pairs = 1; pairs <= 1_000; pairs++) {
        const drawn = random();
        if (drawn < 0.025) candidateOnly++;
        else if (drawn < 0.03) stableOnly++; // Two points more: the margin itself.
        if (pairs % 20 !== 0 || lnBelowMargin({ candidateOnly, stableOnly, pairs }, 0.02) < Math.log(20)) continue;
        mistakes++;
        break;
      }
    }
    expect(mistakes / 2_000).toBeLessThan(0.05);
  });
});
