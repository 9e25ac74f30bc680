import { describe, expect, it } from "vitest";
import { exceedanceRate, type LatencyShape, onePeak, quantileDeviation } from "./latency-shape.ts";
import { randomStream } from "./random.ts";

/** Nine cached answers in ten, and those that are worked out. */
const CACHED: LatencyShape = [
  { share: 0.9, medianMs: 40, logDeviation: 0.4 },
  { share: 0.1, medianMs: 2_000, logDeviation: 0.3 },
];

/** Sorted latencies of a shape. */
function drawn(shape: LatencyShape, count: number): readonly number[] {
  const random = randomStream(11);
  const one = () => {
    let left = random();
    const peak = shape.find(({ share }) => (left -= share) < 0) ?? shape.at(-1);
    if (peak === undefined) throw new Error("a shape has a peak");
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return peak.medianMs * Math.exp(peak.logDeviation * normal);
  };
  return Array.from({ length: count }, one).sort((a, b) => a - b);
}

describe("the shape of a latency", () => {
  it("expects 1.8 % of an equal candidate above 1.25 times stable's p95, and 12 % of a 40 % slower one above 1.10", () => {
    expect(exceedanceRate(0.95, 1.25, 1, onePeak(0.5))).toBeCloseTo(0.0183, 3);
    expect(exceedanceRate(0.95, 1.1, 1.4, onePeak(0.5))).toBeCloseTo(0.1225, 3);
    expect(exceedanceRate(0.95, 1, 1, onePeak(0.5))).toBeCloseTo(0.05, 9);
  });

  it("knows the spread of a p95: 6.1 % for 300 lognormal latencies of sigma 0.5", () => {
    expect(quantileDeviation(0.95, 300, onePeak(0.5))).toBeCloseTo(0.061, 3);
  });

  it("takes two equal peaks for the one they are, whatever their median", () => {
    const halves = [0.5, 0.5].map((share) => ({ share, medianMs: 700, logDeviation: 0.5 }));
    expect(exceedanceRate(0.95, 1.25, 1.1, halves)).toBeCloseTo(exceedanceRate(0.95, 1.25, 1.1, onePeak(0.5)), 9);
    expect(quantileDeviation(0.95, 300, halves)).toBeCloseTo(quantileDeviation(0.95, 300, onePeak(0.5)), 9);
  });

  it.each([1.1, 1.25, 2])("counts what drawn latencies of two peaks count beyond %fx their p95", (ratio) => {
    const latencies = drawn(CACHED, 200_000);
    const limit = ratio * (latencies[Math.floor(0.95 * latencies.length)] ?? Number.NaN);
    const beyond = latencies.filter((ms) => ms > limit).length / latencies.length;
    expect(Math.abs(exceedanceRate(0.95, ratio, 1, CACHED) - beyond)).toBeLessThan(0.002);
  });

  it("knows how far the p95 of 500 latencies of two peaks spreads, and that it is all or nothing between them", () => {
    const all = drawn(CACHED, 200_000);
    const random = randomStream(12);
    const p95s = Array.from({ length: 400 }, () => {
      const sample = Array.from({ length: 500 }, () => all[Math.floor(random() * all.length)] ?? Number.NaN);
      return Math.log(sample.sort((a, b) => a - b)[474] ?? Number.NaN);
    });
    const mean = p95s.reduce((sum, value) => sum + value, 0) / p95s.length;
    const deviation = Math.sqrt(p95s.reduce((sum, value) => sum + (value - mean) ** 2, 0) / p95s.length);
    expect(quantileDeviation(0.95, 500, CACHED) / deviation).toBeGreaterThan(0.8);
    expect(quantileDeviation(0.95, 500, CACHED) / deviation).toBeLessThan(1.2);
    const at = (share: number): LatencyShape => [
      { share: 1 - share, medianMs: 40, logDeviation: 0.3 },
      { share, medianMs: 4_000, logDeviation: 0.3 },
    ];
    expect(exceedanceRate(0.95, 1.5, 1, at(0.051))).toBeGreaterThan(4 * exceedanceRate(0.95, 1.5, 1, onePeak(0.5)));
    expect(quantileDeviation(0.95, 500, at(0.051))).toBeGreaterThan(quantileDeviation(0.95, 500, at(0.1)));
  });

  it("refuses shares that are no whole", () => {
    expect(() => exceedanceRate(0.95, 1, 1, [{ share: 0.5, medianMs: 1, logDeviation: 1 }])).toThrow(/sum to 1/);
  });
});
