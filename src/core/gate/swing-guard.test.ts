import { describe, expect, it } from "vitest";
import { aBlock } from "../../../test/builders.ts";
import { type RandomStream, randomStream } from "../stats/random.ts";
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
});
