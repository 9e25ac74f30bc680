import { describe, expect, it } from "vitest";
import { type EDetector, foldDetector, isAlarm, NEW_DETECTOR } from "./e-detector.ts";
import { randomStream } from "./random.ts";

/** One request a block: 5 % failures bet against 1 %. */
const lnBlock = (failed: boolean): number => (failed ? Math.log(0.05 / 0.01) : Math.log(0.95 / 0.99));

describe("e-detector", () => {
  it("follows M = (M + 1) E: factors 2, 3 give 2 and 9", () => {
    const first = foldDetector(NEW_DETECTOR, Math.log(2));
    expect(Math.exp(first.lnSum ?? Number.NaN)).toBeCloseTo(2, 12);
    expect(Math.exp(foldDetector(first, Math.log(3)).lnSum ?? Number.NaN)).toBeCloseTo(9, 12);
  });

  it("does not overflow or forget: 5000 factors of 2, then a survivable fall", () => {
    let state: EDetector = NEW_DETECTOR;
    for (let i = 0; i < 5000; i++) state = foldDetector(state, Math.LN2);
    expect(state.lnSum).toBeCloseTo(5001 * Math.LN2, 6);
    for (let i = 0; i < 100; i++) state = foldDetector(state, -1000);
    expect(Number.isFinite(state.lnSum)).toBe(true);
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });

  it("alarms a healthy service on average no more than once in 500 blocks, and a 5 % one within 150", () => {
    const blocksToAlarm = (rate: number, seed: number): number => {
      const next = randomStream(seed);
      let [state, blocks]: [EDetector, number] = [NEW_DETECTOR, 0];
      while (!isAlarm(state, 500)) {
        state = foldDetector(state, lnBlock(next() < rate));
        blocks++;
      }
      return blocks;
    };
    const mean = (rate: number): number =>
      Array.from({ length: 100 }, (_, run) => blocksToAlarm(rate, run)).reduce((sum, n) => sum + n, 0) / 100;
    expect(mean(0.01)).toBeGreaterThan(500);
    expect(mean(0.05)).toBeLessThan(150);
  });
});
