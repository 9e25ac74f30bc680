import { describe, expect, it } from "vitest";
import { classify, decisionOf, kayenta, summaryScore } from "../../../bench/judge/rules/kayenta.mjs";
import { mannWhitney, shiftInterval } from "../../../bench/judge/rules/mann-whitney.mjs";
import { randomStream } from "../../../src/core/stats/random.ts";
import { normalCdf, normalQuantile } from "../../../src/core/stats/special.ts";
import { aSample, anArm, observeAll } from "./samples.ts";

const pValue = (x: readonly number[], y: readonly number[]) => 2 * normalCdf(-Math.abs(mannWhitney(x, y).z));
/** A ramp with the given median: 60 distinct points, half of them on each side. */
const around = (median: number, spread = 1) =>
  Array.from({ length: 60 }, (_, i) => median + spread * ((i - 29.5) / 60));

describe("Mann-Whitney U", () => {
  it("gives U 17 and p 0.1113 on the ages of scipy's mannwhitneyu example", () => {
    const [males, females] = [
      [19, 22, 16, 29, 24],
      [20, 11, 17, 12],
    ];
    expect(mannWhitney(males, females).u).toBe(17);
    expect(mannWhitney(females, males).u).toBe(3);
    expect(pValue(males, females)).toBeCloseTo(0.11134688653314041, 12);
  });

  it("corrects for ties as scipy 1.17 does (U 16, p 0.05636)", () => {
    const [x, y] = [
      [1, 1, 2, 2, 3, 3, 3, 9],
      [2, 3, 3, 4, 5, 5, 6, 7, 7],
    ];
    expect(mannWhitney(x, y).u).toBe(16);
    expect(pValue(x, y)).toBeCloseTo(0.05636229497686201, 12);
  });

  it("gives U 35, p 0.2446 and a shift of 0.305 on the permeability data of Hollander and Wolfe", () => {
    const x = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
    const y = [1.15, 0.88, 0.9, 0.74, 1.21];
    expect(mannWhitney(x, y).u).toBe(35);
    expect(pValue(x, y)).toBeCloseTo(0.24462360512698333, 12);
    expect(shiftInterval(x, y, normalQuantile(0.975)).estimate).toBeCloseTo(0.305, 2);
  });

  it("ends its interval where the test begins to reject, and covers the true shift in 98 % of samples", () => {
    const random = randomStream(5);
    const z = normalQuantile(0.99);
    let covered = 0;
    for (let run = 0; run < 1_000; run++) {
      const x = Array.from({ length: 40 }, () => 3 + random() + random());
      const y = Array.from({ length: 50 }, () => random() + random());
      const { lower, upper } = shiftInterval(x, y, z);
      covered += Number(lower <= 3 && 3 <= upper);
      if (run > 0) continue;
      const shifted = (by: number) => x.map((value) => value - by);
      expect(pValue(shifted(lower - 0.01), y)).toBeLessThan(0.02);
      expect(pValue(shifted(lower + 0.01), y)).toBeGreaterThan(0.02);
      expect(pValue(shifted(upper + 0.01), y)).toBeLessThan(0.02);
    }
    expect(covered / 1_000).toBeGreaterThan(0.97);
    expect(covered / 1_000).toBeLessThan(0.992);
  });
});

describe("a metric's label", () => {
  const latency = { metric: "p95-ms", group: "latency", direction: "increase", nanStrategy: "remove" };

  it("is Pass for identical points, High for a clear rise and Pass for a fall when only a rise counts", () => {
    expect(classify(latency, { canary: around(100), baseline: around(100) })).toBe("Pass");
    expect(classify(latency, { canary: around(102), baseline: around(100) })).toBe("High");
    expect(classify(latency, { canary: around(98), baseline: around(100) })).toBe("Pass");
    expect(classify({ ...latency, direction: "either" }, { canary: around(98), baseline: around(100) })).toBe("Low");
  });

  it("tolerates no level: the band is a quarter of the estimated shift, so +2 % is High once it is certain", () => {
    const series = { canary: around(102), baseline: around(100) };
    expect(classify({ ...latency, allowedIncrease: 1.25 }, series)).toBe("Pass");
    expect(classify({ ...latency, allowedIncrease: 1.25 }, { ...series, canary: around(126) })).toBe("High");
    // Certain to be above 0, not certain to be above a quarter of the estimate.
    const wide = { canary: around(100.15), baseline: around(100) };
    const { lower, estimate } = shiftInterval(wide.canary, wide.baseline, normalQuantile(0.99));
    expect(lower).toBeGreaterThan(0);
    expect(lower).toBeLessThan(0.25 * estimate);
    expect(classify(latency, wide)).toBe("Pass");
  });

  it("takes missing points as the strategy says: removed leaves Nodata, replaced is zeros", () => {
    const none = Array<number>(60).fill(Number.NaN);
    const missing = { canary: none, baseline: none };
    expect(classify(latency, missing)).toBe("Nodata");
    expect(classify({ ...latency, mustHaveData: true }, missing)).toBe("NodataFailMetric");
    expect(classify({ ...latency, nanStrategy: "replace" }, missing)).toBe("Pass");
  });

  it("is High for errors against a baseline without any, although the ratio of means does not exist (example A)", () => {
    const errors = { ...latency, metric: "error-percent", nanStrategy: "replace", allowedIncrease: 1.2 };
    const canary = Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? 3 : 0));
    expect(classify(errors, { canary, baseline: Array<number>(60).fill(Number.NaN) })).toBe("High");
    expect(classify(errors, { canary: Array<number>(60).fill(100), baseline: Array<number>(60).fill(0) })).toBe("High");
  });
});

describe("a metric of mostly zeros", () => {
  it("is High in at most 3 % of equal pairs of 60 error rates of 60 requests, and in all at 10 times the rate", () => {
    const errors = { metric: "error-percent", group: "errors", direction: "increase", nanStrategy: "replace" };
    const random = randomStream(9);
    const points = (rate: number) =>
      Array.from({ length: 60 }, () => {
        const failures = Array.from({ length: 60 }, () => Number(random() < rate)).reduce((sum, one) => sum + one, 0);
        return (100 * failures) / 60;
      });
    const highShare = (rate: number, runs: number) => {
      const labels = Array.from({ length: runs }, () =>
        classify(errors, { canary: points(rate), baseline: points(0.005) }),
      );
      return labels.filter((label) => label === "High").length / runs;
    };
    expect(highShare(0.005, 400)).toBeLessThanOrEqual(0.03);
    expect(highShare(0.05, 50)).toBe(1);
  });
});

describe("the score", () => {
  const result = (label: string, group = "all", critical = false) => ({ metric: { group, critical }, label });

  it("is 90 for 9 of 10 metrics that pass", () => {
    expect(summaryScore([...Array<object>(9).fill(result("Pass")), result("High")], {})).toBeCloseTo(90, 9);
  });

  it("weights groups, shares the rest among the unweighted, and leaves Nodata out", () => {
    const labels = [result("High", "errors"), result("Pass", "latency"), result("Pass", "saturation")];
    expect(summaryScore(labels, { errors: 40 })).toBeCloseTo(60, 9);
    expect(summaryScore([...labels, result("Nodata", "latency")], { errors: 40 })).toBeCloseTo(60, 9);
  });

  it("is 0 for a critical failure, and when half of the metrics have no data", () => {
    expect(summaryScore([result("High", "errors", true), ...Array<object>(19).fill(result("Pass"))], {})).toBe(0);
    expect(summaryScore([result("Pass"), result("Nodata")], {})).toBe(0);
  });

  it("fails below 75, goes on between 75 and 95 except at the end, passes from 95", () => {
    const thresholds = { pass: 95, marginal: 75 };
    expect(decisionOf(thresholds, 74.9, false)).toBe("abort");
    expect(decisionOf(thresholds, 75, false)).toBeNull();
    expect(decisionOf(thresholds, 94.9, false)).toBeNull();
    expect(decisionOf(thresholds, 94.9, true)).toBe("abort");
    expect(decisionOf(thresholds, 95, true)).toBe("promote");
  });
});

describe("Kayenta's rule", () => {
  const metric = { group: "errors", direction: "increase", nanStrategy: "replace" };
  const config = {
    stepS: 60,
    intervalS: 3_600,
    lifetimeS: 10_800,
    candidateShare: 0.1,
    pass: 95,
    marginal: 75,
    metrics: [
      { ...metric, metric: "error-percent" },
      { ...metric, metric: "p95-ms", group: "latency", nanStrategy: "remove" },
    ],
    groupWeights: { errors: 50, latency: 50 },
  };
  /** Minutes with latencies that wander alike on both arms; the candidate's failures as given. */
  const minutes = (count: number, failures: (minute: number) => number) =>
    Array.from({ length: count }, (_, i) => {
      const wandering = [100 + (i % 7)];
      return aSample(i + 1, 60, anArm(60, failures(i), wandering), anArm(60, i % 3 === 0 ? 1 : 0, wandering));
    });
  const decisionAfter = (samples: ReturnType<typeof minutes>) =>
    kayenta.decision(observeAll(kayenta, kayenta.start(config), samples));

  it("keeps a tenth on the canary beside an equal baseline and judges after 1 h, 2 h and 3 h of points", () => {
    expect(kayenta.shares(kayenta.start(config))).toEqual({ stable: 0.1, candidate: 0.1 });
    const alike = (minute: number) => (minute % 3 === 0 ? 1 : 0);
    expect(decisionAfter(minutes(179, alike))).toBeNull();
    expect(decisionAfter(minutes(180, alike))).toBe("promote");
  });

  it("fails at the end of the first hour, not before, when errors are High: one group of two is 50", () => {
    expect(decisionAfter(minutes(59, () => 6))).toBeNull();
    expect(decisionAfter(minutes(60, () => 6))).toBe("abort");
  });

  it("fails without any data: half of the metrics are Nodata", () => {
    const samples = Array.from({ length: 60 }, (_, i) => aSample(i + 1, 60, null, null));
    expect(decisionAfter(samples)).toBe("abort");
  });
});
