import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CountBlock } from "./bernoulli-e-process.ts";
import { lnExcessExcluded } from "./difference.ts";
import {
  type ExcessEProcess,
  excludedMargin,
  foldExcess,
  lnExcess,
  requestsToMargin,
  startExcess,
} from "./excess-e-process.ts";
import { randomStream } from "./random.ts";

const block = (yb: number, nb: number, ya: number, na: number): CountBlock => ({
  stable: { failures: yb, total: nb },
  candidate: { failures: ya, total: na },
});

/** `seconds` blocks of `rps` requests, split at random. */
function traffic(
  start: ExcessEProcess,
  plan: { rps: number; share: number; stableRate: number; candidateRate: number; seconds: number },
  next: () => number,
  stop: (state: ExcessEProcess) => boolean = () => false,
): ExcessEProcess {
  let state = start;
  for (let s = 0; s < plan.seconds && !stop(state); s++) {
    const count = { stable: { failures: 0, total: 0 }, candidate: { failures: 0, total: 0 } };
    for (let i = 0; i < plan.rps; i++) {
      const arm = next() < plan.share ? "candidate" : "stable";
      count[arm].total++;
      if (next() < (arm === "candidate" ? plan.candidateRate : plan.stableRate)) count[arm].failures++;
    }
    state = foldExcess(state, count);
  }
  return state;
}

describe("excess e-process", () => {
  // Half to three quarters of what decision-policy.md allows: 380, 1000 and 4000.
  const rows = [
    { margin: 0.02, share: 0.01, requests: 260, seconds: 1200 },
    { margin: 0.02, share: 0.05, requests: 280, seconds: 300 },
    { margin: 0.01, share: 0.1, requests: 750, seconds: 400 },
    { margin: 0.01, share: 0.25, requests: 800, seconds: 200 },
    { margin: 0.005, share: 0.5, requests: 3000, seconds: 400 },
  ];
  for (const { margin, share, requests, seconds } of rows)
    it(`excludes +${margin * 100} points in a median of at most ${requests} candidate requests at share ${share}`, () => {
      const needed = Array.from({ length: 61 }, (_, run) => {
        const plan = { rps: 100, share, stableRate: 0.005, candidateRate: 0.005, seconds };
        const done = (state: ExcessEProcess): boolean => lnExcess(state, margin) >= Math.log(20);
        const end = traffic(startExcess({ margins: [margin] }), plan, randomStream(run), done);
        return done(end) ? end.candidate.total : Number.POSITIVE_INFINITY;
      });
      const median = needed.sort((a, b) => a - b)[30] ?? 0;
      expect(median).toBeLessThanOrEqual(requests);
      expect(median).toBeGreaterThan(requests / 4);
    });

  it("has an expected factor of at most 1 in any block when the candidate is at least the margin worse", () => {
    const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k);
    const chance = (k: number, n: number, rate: number): number => choose(n, k) * rate ** k * (1 - rate) ** (n - k);
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const past = fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { maxLength: 6 });
    const size = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(
        past,
        size,
        size,
        fc.constantFrom(0.005, 0.05, 0.3),
        share,
        share,
        (history, na, nb, margin, a, b) => {
          const state = history.reduce(
            (s, [yb, ya]) => foldExcess(s, block(yb, 5, ya, 3)),
            startExcess({ margins: [margin] }),
          );
          const stable = a * (1 - margin);
          const candidate = stable + margin + b * (1 - margin - stable);
          let expected = 0;
          for (let ya = 0; ya <= na; ya++)
            for (let yb = 0; yb <= nb; yb++) {
              const next = lnExcess(foldExcess(state, block(yb, nb, ya, na)), margin);
              expected += chance(ya, na, candidate) * chance(yb, nb, stable) * Math.exp(next - lnExcess(state, margin));
            }
          expect(expected).toBeLessThanOrEqual(1 + 1e-6);
        },
      ),
      { numRuns: 80, seed: 2 },
    );
  });

  it("is not misled when errors fall from 3 % to 0.3 % while the share grows; totals are", () => {
    // In both halves the candidate is 1 point worse than stable.
    const margins = [0.01];
    const early = { rps: 100, share: 0.02, stableRate: 0.03, candidateRate: 0.04, seconds: 200 };
    const late = { rps: 100, share: 0.5, stableRate: 0.003, candidateRate: 0.013, seconds: 100 };
    const next = randomStream(4);
    const end = traffic(traffic(startExcess({ margins }), early, next), late, next);
    expect(lnExcess(end, 0.01)).toBeLessThan(Math.log(20));
    expect(lnExcessExcluded(end, 0.01)).toBeGreaterThan(Math.log(20));
  });

  it("names the smallest margin excluded with all above it, and none without data", () => {
    expect(excludedMargin(startExcess(), 0.05)).toBeNull();
    const plan = { rps: 100, share: 0.1, stableRate: 0.005, candidateRate: 0.005, seconds: 120 };
    const state = traffic(startExcess(), plan, randomStream(1));
    const margin = excludedMargin(state, 0.05) ?? 0;
    expect(margin).toBeGreaterThanOrEqual(0.006);
    expect(margin).toBeLessThanOrEqual(0.015);
    const values = state.margins.map((m) => lnExcess(state, m));
    expect(values.slice(5)).toEqual(values.slice(5).sort((a, b) => a - b));
  });

  it("says about how many more requests are needed, 0 when none, null for a candidate on the margin", () => {
    const plan = { rps: 100, share: 0.1, stableRate: 0.005, candidateRate: 0.005, seconds: 20 };
    const early = traffic(startExcess(), plan, randomStream(1));
    const more = requestsToMargin(early, 0.01, 0.05, 0.1) ?? 0;
    expect(more).toBeGreaterThan(50);
    expect(more).toBeLessThan(1000);
    const later = traffic(early, { ...plan, seconds: 400 }, randomStream(2));
    expect(requestsToMargin(later, 0.01, 0.05, 0.1)).toBe(0);
    const worse = traffic(startExcess(), { ...plan, candidateRate: 0.03, seconds: 100 }, randomStream(3));
    expect(requestsToMargin(worse, 0.01, 0.05, 0.1)).toBeNull();
  });

  it("survives a restart as JSON, takes empty arms for no evidence, and refuses unknown margins and counts", () => {
    const state = foldExcess(startExcess(), block(0, 90, 1, 10));
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    expect(foldExcess(state, block(1, 5, 0, 0)).logBets).toEqual(state.logBets);
    expect(() => lnExcess(state, 0.011)).toThrow(/not followed/);
    expect(() => foldExcess(state, block(2, 1, 0, 1))).toThrow(/counts/);
    expect(() => startExcess({ margins: [0.02, 0.01] })).toThrow(/ascend/);
  });
});
