import { describe, expect, it } from "vitest";
import { aBlock } from "../../../../test/builders.ts";
import { randomStream } from "../../stats/random.ts";
import { binOf, mergeBins, type SparseBins } from "../../window/sketch.ts";
import { foldLatencyWatch, isLatencyAlarmed, NEW_LATENCY_WATCH } from "./latency-watch.ts";

/** Lognormal latencies of one second whose level swings by itself: AR(1) 0.9 by the second, standard deviation 0.25. */
function swinging(seed: number) {
  const random = randomStream(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  let level = 0;
  return (factor: number, count = 20): SparseBins => {
    level = 0.9 * level + 0.25 * Math.sqrt(1 - 0.81) * normal();
    let bins: SparseBins = [];
    for (let i = 0; i < count; i++) bins = mergeBins(bins, [binOf(60 * factor * Math.exp(level + 0.5 * normal())), 1]);
    return bins;
  };
}

function watched(seed: number, factorAt: (second: number) => number, seconds: number): number | null {
  const second = swinging(seed);
  let watch = NEW_LATENCY_WATCH;
  for (let endS = 1; endS <= 1_800; endS++)
    watch = foldLatencyWatch(watch, aBlock(50, { requests: 20, warm: second(1) }, {}, endS), 1.25);
  for (let atS = 1; atS <= seconds; atS++) {
    const block = aBlock(100, {}, { requests: 20, warm: second(factorAt(atS)) }, 1_800 + atS);
    watch = foldLatencyWatch(watch, block, 1.25);
    if (isLatencyAlarmed(watch)) return atS;
  }
  return null;
}

describe("the latency watch at 100 %", () => {
  it("never alarms on an equal candidate whose latency swings by 25 % for ten seconds at a time, in 20 of 20 hours", () => {
    const alarms = Array.from({ length: 20 }, (_, seed) => watched(seed, () => 1, 3_600));
    expect(alarms.filter((alarm) => alarm !== null)).toEqual([]);
  });

  it("finds latency that doubles, within 15 minutes, and one that creeps up by 80 % over an hour", () => {
    expect(watched(1, (atS) => (atS > 600 ? 2 : 1), 3_600)).toBeLessThan(1_500);
    expect(watched(2, (atS) => 1 + (0.8 * atS) / 3_600, 7_200)).not.toBeNull();
  });
});

describe("a stretch of the latency watch", () => {
  const second = (percent: number, endS: number, count: number, ms = 100) => {
    const arm = { requests: count, warm: count === 0 ? [] : [binOf(ms), count] };
    return percent === 100 ? aBlock(100, {}, arm, endS) : aBlock(percent, arm, {}, endS);
  };
  const story = (...blocks: readonly ReturnType<typeof second>[]) =>
    blocks.reduce((watch, block) => foldLatencyWatch(watch, block, 1.25), NEW_LATENCY_WATCH);
  const seconds = (percent: number, from: number, to: number, count = 20, ms = 100) =>
    Array.from({ length: to - from }, (_, index) => second(percent, from + index + 1, count, ms));

  it("is whole after a minute with 200 answers, not before either", () => {
    expect(story(...seconds(50, 0, 59)).worstStableMs).toBeNull();
    expect(story(...seconds(50, 0, 60)).worstStableMs).toBeCloseTo(100, -1);
    expect(story(...seconds(50, 0, 66, 3)).worstStableMs).toBeNull();
    expect(story(...seconds(50, 0, 66, 3), second(50, 67, 2)).worstStableMs).not.toBeNull();
  });

  it("keeps stable's slowest stretch as what is tolerated", () => {
    const watch = story(
      ...seconds(50, 0, 60, 20, 100),
      ...seconds(50, 60, 120, 20, 400),
      ...seconds(50, 120, 180, 20, 200),
    );
    expect(watch.worstStableMs).toBeCloseTo(400, -1);
  });

  it("never mixes stable's answers with the candidate's, and counts no stretch without any of stable's", () => {
    const mixed = story(...seconds(50, 0, 30), ...seconds(100, 30, 60, 20, 900), ...seconds(100, 60, 90, 20, 900));
    expect([mixed.worstStableMs, mixed.detector.seen.total]).toEqual([null, 0]);
    const judged = story(...seconds(50, 0, 60), ...seconds(100, 60, 120, 20, 100), ...seconds(100, 120, 180, 20, 900));
    expect(judged.detector.seen).toEqual({ failures: 1, total: 2 });
  });

  it("ignores seconds without a warm answer", () => {
    const before = story(...seconds(50, 0, 30));
    expect(foldLatencyWatch(before, second(50, 31, 0), 1.25)).toBe(before);
    expect(foldLatencyWatch(before, second(100, 31, 0), 1.25)).toBe(before);
  });
});
