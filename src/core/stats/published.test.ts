import { describe, expect, it } from "vitest";
import { binOf, quantileOf } from "../window/sketch.ts";
import { binomialAtLeast, binomialAtMost } from "./binomial.ts";
import { crossingChances } from "./lan-demets.ts";
import { type RandomStream, randomStream } from "./random.ts";

/**
 * What thresholds alone would do to a healthy release, as statistics.md publishes it: the reasons for our own tests.
 */

const even = (looks: number): readonly number[] => Array.from({ length: looks }, (_, i) => (i + 1) / looks);
const normal = (next: RandomStream): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
const atLeastOnce = (chance: number, times: number): number => 1 - (1 - chance) ** times;

/** Share of `runs` in which `isFalse` is true. */
function falseShare(runs: number, isFalse: (next: RandomStream) => boolean): number {
  const next = randomStream(7);
  let count = 0;
  for (let run = 0; run < runs; run++) if (isFalse(next)) count++;
  return count / runs;
}

describe("published errors of plain thresholds", () => {
  it.each([
    [50, 41],
    [100, 78],
    [200, 152],
  ])("of %i answers %i must cover to claim 0.70 at 95 %% one-sided", (questions, least) => {
    expect(binomialAtLeast(least, questions, 0.7)).toBeLessThanOrEqual(0.05);
    expect(binomialAtLeast(least - 1, questions, 0.7)).toBeGreaterThan(0.05);
  });

  it.each([
    [5, 0.84],
    [10, 0.4],
    [20, 0.2],
  ])("10 topics of %i questions at a true 0.85: some topic is below 0.70 with chance %f", (questions, chance) => {
    const below = Math.ceil(0.7 * questions) - 1;
    expect(Math.abs(atLeastOnce(binomialAtMost(below, questions, 0.85), 10) - chance)).toBeLessThan(0.006);
  });

  it.each([
    [50, 0.02, 0.06],
    [100, 0.02, 0.11],
    [200, 0.02, 0.21],
    [100, 0.05, 0.52],
  ])("%i questions of which a phrasing flips with %f: some flips twice with chance %f", (questions, flips, chance) => {
    expect(Math.abs(atLeastOnce(binomialAtLeast(2, 3, flips), questions) - chance)).toBeLessThan(0.005);
  });

  it.each([
    ["two-sided", 100, 1.959964, 0.374],
    ["one-sided", 5, 1.644854, 0.13],
    ["one-sided", 15, 1.644854, 0.19],
    ["one-sided", 30, 1.644854, 0.24],
  ] as const)("a 5 %% %s test looked at %i times", (sides, looks, z, chance) => {
    const bounds = even(looks).map(() => z);
    const stopped = crossingChances(bounds, even(looks), sides).reduce((sum, each) => sum + each, 0);
    expect(Math.abs(stopped - chance)).toBeLessThan(sides === "two-sided" ? 6e-4 : 0.011);
  });

  it.each([
    [1.25, 60, 0.1],
    [1.25, 120, 0.05],
    [1.25, 300, 0.004],
    [1.15, 300, 0.05],
    [1.15, 600, 0.01],
    [1.1, 300, 0.13],
    [1.1, 600, 0.06],
    [1.1, 1_200, 0.01],
  ])("p95 of two equal arms, lognormal 0.5, is apart by more than %fx on %i answers each with chance %f", (...row) => {
    const [limit, answers, chance] = row;
    const p95 = (next: RandomStream): number => {
      const values = Array.from({ length: answers }, () => binOf(100 * Math.exp(0.5 * normal(next))));
      return (
        quantileOf(
          [...values].sort((a, b) => a - b).flatMap((bin) => [bin, 1]),
          0.95,
        ) ?? Number.NaN
      );
    };
    const runs = 2_000;
    const found = falseShare(runs, (next) => p95(next) / p95(next) > limit);
    expect(Math.abs(found - chance)).toBeLessThan(0.005 + 3 * Math.sqrt((chance * (1 - chance)) / runs));
  });

  it.each([
    [50, 0.19],
    [100, 0.06],
  ])("medians of two samples of %i questions, sd 0.09, are apart by more than 0.03 with chance %f", (count, chance) => {
    const median = (next: RandomStream): number => {
      const values = Array.from({ length: count }, () => 0.09 * normal(next)).sort((a, b) => a - b);
      return ((values[count / 2 - 1] ?? 0) + (values[count / 2] ?? 0)) / 2;
    };
    const runs = 4_000;
    const found = falseShare(runs, (next) => Math.abs(median(next) - median(next)) > 0.03);
    expect(Math.abs(found - chance)).toBeLessThan(0.005 + 3 * Math.sqrt((chance * (1 - chance)) / runs));
  });
});
