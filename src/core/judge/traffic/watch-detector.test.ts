import { describe, expect, it } from "vitest";
import { randomStream } from "../../stats/random.ts";
import { foldWatch, isWatchAlarmed, NEW_WATCH, type WatchDetector } from "./watch-detector.ts";

const BETWEEN = 1_000;

function blocksToAlarm(rate: number, nullRate: number, seed: number, limit: number, total = 10): number | null {
  const random = randomStream(seed);
  let watch: WatchDetector = NEW_WATCH;
  for (let block = 1; block <= limit; block++) {
    let failures = 0;
    for (let i = 0; i < total; i++) if (random() < rate) failures++;
    watch = foldWatch(watch, { failures, total }, nullRate);
    if (isWatchAlarmed(watch, BETWEEN)) return block;
  }
  return null;
}
const seeds = Array.from({ length: 60 }, (_, index) => index + 1);

describe("the watch detector", () => {
  it("alarms a share at the tolerated rate once in no less than the promised number of blocks on average", () => {
    const limit = 5 * BETWEEN;
    const waits = seeds.map((seed) => blocksToAlarm(0.02, 0.02, seed, limit) ?? limit);
    expect(waits.reduce((sum, wait) => sum + wait, 0) / waits.length).toBeGreaterThan(BETWEEN);
  });

  it("finds a rise of every size it bets on, sooner the larger it is", () => {
    const median = (rate: number) =>
      seeds.map((seed) => blocksToAlarm(rate, 0.02, seed, 5_000) ?? 5_000).sort((a, b) => a - b)[30] ?? 0;
    const [slight, clear, dead] = [median(0.03), median(0.07), median(0.5)];
    expect(dead).toBeLessThanOrEqual(2);
    expect(clear).toBeLessThan(60);
    expect(slight).toBeGreaterThan(clear);
    expect(slight).toBeLessThan(1_000);
  });

  it("finds a rise that begins after a long calm as soon as one at once", () => {
    const random = randomStream(5);
    let watch: WatchDetector = NEW_WATCH;
    for (let block = 0; block < 5_000; block++)
      watch = foldWatch(watch, { failures: random() < 0.2 ? 1 : 0, total: 10 }, 0.05);
    for (let block = 1; block <= 3; block++) watch = foldWatch(watch, { failures: 10, total: 10 }, 0.05);
    expect(isWatchAlarmed(watch, BETWEEN)).toBe(true);
    expect(watch.seen.total).toBe(50_030);
  });

  it("is not alarmed before anything was seen, and learns nothing from an empty block", () => {
    expect(isWatchAlarmed(NEW_WATCH, 1)).toBe(false);
    expect(foldWatch(NEW_WATCH, { failures: 0, total: 0 }, 0.05)).toEqual(NEW_WATCH);
  });

  it("stays finite where everything or nothing is tolerated", () => {
    for (const nullRate of [0, 1]) {
      const watch = seeds.reduce((last) => foldWatch(last, { failures: 10, total: 10 }, nullRate), NEW_WATCH);
      expect(isWatchAlarmed(watch, BETWEEN)).toBe(nullRate === 0);
      expect(watch.detectors.every(({ lnSum }) => lnSum !== null && Number.isFinite(lnSum))).toBe(true);
    }
  });
});
