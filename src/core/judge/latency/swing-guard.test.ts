import { describe, expect, it } from "vitest";
import { aBlock } from "../../../../test/builders.ts";
import { type RandomStream, randomStream } from "../../stats/random.ts";
import { studentQuantile } from "../../stats/special.ts";
import { foldSwings, NEW_SWING_GUARD, outlastsSwings, secondsToOutlast, type SwingGuard } from "./swing-guard.ts";

const SWING_MS = 15_000;
const normal = (next: RandomStream): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());

/** Slow answers second by second: `rates` are the shares beyond the threshold, of 100 requests on each arm. */
function guarded(rates: readonly (readonly [stable: number, candidate: number])[], logE = 1): SwingGuard {
  const block = { ...aBlock(50, {}, {}), spanMs: 1_000 };
  const of100 = (rate: number) => ({ failures: Math.round(100 * rate), total: 100 });
  return rates.reduce(
    (guard, [stable, candidate], second) =>
      foldSwings(
        guard,
        { ...block, endMs: (block.endMs + second * 1_000) as typeof block.endMs },
        { stable: of100(stable), candidate: of100(candidate) },
        { swingMs: SWING_MS, logE },
      ),
    NEW_SWING_GUARD,
  );
}
const forSeconds = (count: number, each: (second: number) => readonly [number, number]) =>
  Array.from({ length: count }, (_, second) => each(second));

describe("the swing guard", () => {
  it("lets steady harm through after a few stretches, and nothing before three", () => {
    const worse = (second: number) => [0.05, 0.5 + 0.01 * (second % 2)] as const;
    expect(outlastsSwings(guarded(forSeconds(44, worse)))).toBe(false);
    expect(outlastsSwings(guarded(forSeconds(75, worse)))).toBe(true);
  });

  it("never lets a better candidate through", () => {
    expect(outlastsSwings(guarded(forSeconds(600, () => [0.5, 0.05])))).toBe(false);
  });

  it("holds arms that swing to their swings: at most 1 % of 300 pairs outlast them in ten minutes", () => {
    let through = 0;
    for (let run = 1; run <= 300; run++) {
      const next = randomStream(run);
      const levels = [0, 0];
      const rates = forSeconds(600, () => {
        for (const arm of [0, 1]) levels[arm] = 0.9 * (levels[arm] ?? 0) + 0.25 * Math.sqrt(0.19) * normal(next);
        const rate = (level: number) => Math.min(1, 0.05 * Math.exp(4 * level));
        return [rate(levels[0] ?? 0), rate(levels[1] ?? 0)];
      });
      if (outlastsSwings(guarded(rates))) through++;
    }
    expect(through).toBeLessThanOrEqual(3);
  });

  it("forgets everything while there is no evidence of harm, so that late harm is not diluted", () => {
    expect(
      guarded(
        forSeconds(600, () => [0.05, 0.5]),
        0,
      ),
    ).toEqual(NEW_SWING_GUARD);
  });

  it("says beforehand how long steady harm takes: +40 % at 5 of 100 requests a second 2 to 3 minutes, 2 s swings less", () => {
    const harm = { candidateRate: 0.1225, stableRate: 0.05, requestsPerSecond: 100, candidateShare: 0.05 };
    const foretold = secondsToOutlast({ ...harm, swingMs: SWING_MS });
    expect(foretold).toBeGreaterThanOrEqual(120);
    expect(foretold).toBeLessThanOrEqual(180);
    expect(secondsToOutlast({ ...harm, swingMs: 2_000 })).toBeLessThan(foretold);
    // One request in ten seconds on the candidate: a stretch lasts until it has five.
    const rare = { ...harm, requestsPerSecond: 10, candidateShare: 0.01, candidateRate: 1 };
    expect(secondsToOutlast({ ...rare, swingMs: 1_000 })).toBe(150);
  });

  it("waits for five requests of each arm before it takes a stretch for one", () => {
    const block = { ...aBlock(50, {}, {}), spanMs: SWING_MS };
    const counts = { stable: { failures: 0, total: 100 }, candidate: { failures: 1, total: 1 } };
    let guard = NEW_SWING_GUARD;
    for (let stretch = 1; stretch <= 5; stretch++) {
      expect(guard.stretches).toBe(0);
      const endMs = (block.endMs + stretch * SWING_MS) as typeof block.endMs;
      guard = foldSwings(guard, { ...block, endMs }, counts, { swingMs: SWING_MS, logE: 1 });
    }
    expect(guard).toMatchObject({ stretches: 1, sum: 1, gathering: null });
  });

  it("is a t test over the stretches: three need a mean of 99.99 standard errors at 5e-5", () => {
    // With 2 degrees of freedom the tail of t is (1 - t / sqrt(t^2 + 2)) / 2, so t = 99.9925 at 5e-5.
    const three = (spread: number): SwingGuard => {
      const differences = [0.5 - spread, 0.5, 0.5 + spread];
      const sum = differences.reduce((total, one) => total + one, 0);
      const sumOfSquares = differences.reduce((total, one) => total + one * one, 0);
      return { gathering: null, stretches: 3, sum, sumOfSquares };
    };
    const edge = (0.5 * Math.sqrt(3)) / 99.9925;
    expect([three(edge * 0.999), three(edge * 1.001)].map(outlastsSwings)).toEqual([true, false]);
  });

  it("lets differences through that do not vary at all, from the third on, and none that are nothing", () => {
    const steady = (stretches: number, difference: number): SwingGuard => ({
      gathering: null,
      stretches,
      sum: stretches * difference,
      sumOfSquares: stretches * difference * difference,
    });
    expect([steady(2, 1), steady(3, 1), steady(9, 0)].map(outlastsSwings)).toEqual([false, true, false]);
  });

  it("says how long by the variance of both arms: 7 stretches of 15 s for 20 % against 5 %", () => {
    // Variance 0.2*0.8/150 + 0.05*0.95/1350, so 4.519 standard errors a stretch: 11.07 after six against a t(1 - 5e-5)
    // of 11.18 with 5 degrees of freedom, 11.96 after seven against 9.08 with 6.
    const harm = { candidateRate: 0.2, stableRate: 0.05, requestsPerSecond: 100, candidateShare: 0.1, swingMs: 15_000 };
    expect(secondsToOutlast(harm)).toBe(105);
    const slight = secondsToOutlast({ ...harm, candidateRate: 0.0805 }) / 15;
    const errorsOf = (stretches: number) => 1.326546 * Math.sqrt(stretches);
    expect(errorsOf(slight)).toBeGreaterThan(studentQuantile(1 - 5e-5, slight - 1));
    expect(errorsOf(slight - 1)).toBeLessThan(studentQuantile(1 - 5e-5, slight - 2));
  });
});
