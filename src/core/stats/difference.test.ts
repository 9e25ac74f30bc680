import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CountBlock } from "./bernoulli-e-process.ts";
import { lnBetaMixture } from "./beta-binomial.ts";
import { excludedExcess, lnExcessExcluded, requestsToExclude } from "./difference.ts";
import { randomStream } from "./random.ts";

const counts = (yb: number, nb: number, ya: number, na: number): CountBlock => ({
  stable: { failures: yb, total: nb },
  candidate: { failures: ya, total: na },
});
/** Both arms at exactly `rate`; `ratio` stable requests for one of the candidate, after `earlier` stable ones. */
const level = (rate: number, na: number, ratio: number, earlier: number): CountBlock => {
  const nb = na * ratio + earlier;
  return counts(nb * rate, nb, na * rate, na);
};

describe("excluding harm beyond a margin", () => {
  const rows = [
    { points: 2, share: 0.01, ratio: 99, earlier: 0, requests: 380 },
    { points: 2, share: 0.05, ratio: 19, earlier: 0, requests: 380 },
    { points: 1, share: 0.1, ratio: 9, earlier: 0, requests: 1000 },
    { points: 1, share: 0.25, ratio: 3, earlier: 38_000, requests: 1000 },
    { points: 0.5, share: 0.5, ratio: 1, earlier: 38_000, requests: 4000 },
  ];
  for (const { points, share, ratio, earlier, requests } of rows)
    it(`needs at most ${requests} candidate requests for +${points} points at 0.5 % errors and a share of ${share}`, () => {
      const [margin, goal] = [points / 100, Math.log(20)];
      expect(lnExcessExcluded(level(0.005, requests, ratio, earlier), margin)).toBeGreaterThanOrEqual(goal);
      expect(lnExcessExcluded(level(0.005, requests / 2, ratio, earlier), margin)).toBeLessThan(goal);
    });

  it("finds the least product over all common levels", () => {
    const tally = fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.double({ min: 0, max: 0.3, noNaN: true }));
    fc.assert(
      fc.property(tally, tally, fc.constantFrom(0.005, 0.02, 0.15), ([nb, rb], [na, ra], margin) => {
        const [yb, ya] = [Math.floor(nb * rb), Math.floor(na * ra)];
        const found = lnExcessExcluded(counts(yb, nb, ya, na), margin);
        for (let i = 1; i < 400; i++) {
          const p = (1 - margin) * (i / 400) ** 3;
          const stable = Math.log(
            0.75 + 0.25 * Math.exp(lnBetaMixture({ successes: yb, total: nb }, p, 1, 400, "above")),
          );
          const candidate = lnBetaMixture({ successes: ya, total: na }, p + margin, 1, 1, "below");
          if (found > stable + candidate + 1e-4) return false;
        }
        return true;
      }),
      { numRuns: 60, seed: 11 },
    );
  });

  it("wrongly excludes a candidate that is exactly 2 points worse in at most 5 % of runs, looked at 100 times", () => {
    let wrong = 0;
    for (let run = 0; run < 100; run++) {
      const next = randomStream(run);
      let [yb, ya] = [0, 0];
      for (let look = 1; look <= 100; look++) {
        for (let i = 0; i < 90; i++) if (next() < 0.005) yb++;
        for (let i = 0; i < 10; i++) if (next() < 0.025) ya++;
        if (lnExcessExcluded(counts(yb, 90 * look, ya, 10 * look), 0.02) >= Math.log(20)) {
          wrong++;
          break;
        }
      }
    }
    expect(wrong).toBeLessThanOrEqual(5);
  });

  it("names the smallest excluded margin: what it names is excluded, a tenth less is not", () => {
    const totals = counts(50, 10_000, 5, 1000);
    const margin = excludedExcess(totals, 0.05) ?? Number.NaN;
    expect(margin).toBeGreaterThan(0.008);
    expect(margin).toBeLessThan(0.012);
    expect(lnExcessExcluded(totals, margin)).toBeGreaterThanOrEqual(Math.log(20));
    expect(lnExcessExcluded(totals, margin * 0.9)).toBeLessThan(Math.log(20));
  });

  it("excludes less with every further candidate failure and more with every further clean request", () => {
    const byFailures = [0, 2, 5, 10, 30].map((ya) => excludedExcess(counts(25, 5000, ya, 500), 0.05) ?? 1);
    expect([...byFailures].sort((a, b) => a - b)).toEqual(byFailures);
    const byRequests = [100, 300, 1000, 5000].map((na) => excludedExcess(counts(25, 5000, 0, na), 0.05) ?? 1);
    expect([...byRequests].sort((a, b) => b - a)).toEqual(byRequests);
  });

  it("excludes nothing without candidate requests, and works for a stable arm without failures or requests", () => {
    expect(excludedExcess(counts(5, 1000, 0, 0), 0.05)).toBeNull();
    expect(excludedExcess(counts(0, 10_000, 0, 1000), 0.05)).toBeLessThan(0.008);
    expect(excludedExcess(counts(0, 0, 0, 1000), 0.05)).toBeLessThan(0.02);
  });

  it("says about how many more requests are needed, 0 when none, null when the candidate sits on the margin", () => {
    const now = counts(50, 10_000, 1, 100);
    const more = requestsToExclude(now, 0.02, 0.05, 0.05) ?? Number.NaN;
    expect(more).toBeGreaterThan(200);
    expect(more).toBeLessThan(450);
    expect(requestsToExclude(counts(50, 10_000, 3, 1000), 0.02, 0.05, 0.05)).toBe(0);
    expect(requestsToExclude(counts(500, 100_000, 25_000, 1_000_000), 0.02, 0.05, 0.5)).toBeNull();
  });
});
