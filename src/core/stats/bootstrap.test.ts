import { describe, expect, it } from "vitest";
import { type Cluster, clusterBootstrap } from "./bootstrap.ts";
import { randomStream } from "./random.ts";
import { normalQuantile } from "./special.ts";

const single = (values: readonly number[], topic = "all"): readonly Cluster[] =>
  values.map((value) => ({ topic, values: [value] }));

function normals(count: number, seed: number): readonly number[] {
  const next = randomStream(seed);
  return Array.from({ length: count }, () => normalQuantile(Math.max(1e-12, next())));
}

describe("cluster bootstrap", () => {
  it("repeats itself for one seed and moves for another", () => {
    const clusters = single(normals(30, 1));
    const plan = { seed: 9, alpha: 0.1 };
    expect(clusterBootstrap(clusters, plan)).toEqual(clusterBootstrap(clusters, plan));
    expect(clusterBootstrap(clusters, { ...plan, seed: 10 })).not.toEqual(clusterBootstrap(clusters, plan));
  });

  it("has the standard error of a mean, sd (n - 1) / n over root n, within 5 %", () => {
    const values = normals(80, 2);
    const centre = values.reduce((sum, value) => sum + value, 0) / 80;
    const exact = Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0)) / 80;
    const found = clusterBootstrap(single(values), { seed: 1, alpha: 0.05 });
    expect(found?.estimate).toBeCloseTo(centre, 12);
    expect(Math.abs((found?.standardError ?? 0) / exact - 1)).toBeLessThan(0.05);
  });

  it("covers the mean of 12 values in 90 % of runs when asked for 90 %, thanks to the wider tails", () => {
    let covered = 0;
    for (let run = 0; run < 300; run++) {
      const found = clusterBootstrap(single(normals(12, 100 + run)), { seed: run, alpha: 0.1, resamples: 400 });
      if (found !== null && found.low <= 0 && found.high >= 0) covered++;
    }
    expect(covered / 300).toBeGreaterThan(0.86);
    expect(covered / 300).toBeLessThan(0.95);
  });

  it("is wider for values that come in equal fours than for the same values drawn one by one", () => {
    const centres = normals(20, 4);
    const clustered = centres.map((value) => ({ topic: "all", values: [value, value, value, value] }));
    const loose = single(centres.flatMap((value) => [value, value, value, value]));
    const width = (clusters: readonly Cluster[]): number =>
      clusterBootstrap(clusters, { seed: 3, alpha: 0.1 })?.standardError ?? 0;
    expect(width(clustered) / width(loose)).toBeGreaterThan(1.8);
    expect(width(clustered) / width(loose)).toBeLessThan(2.2);
  });

  it("takes the difference between topics out of the interval", () => {
    const easy = single([0.9, 0.91, 0.92, 0.9], "easy");
    const hard = single([0.1, 0.11, 0.12, 0.1], "hard");
    const found = clusterBootstrap([...easy, ...hard], { seed: 3, alpha: 0.1 });
    expect((found?.high ?? 1) - (found?.low ?? 0)).toBeLessThan(0.02);
  });

  it("pools topics with a single cluster instead of calling them certain", () => {
    const lonely = [0, 1, 0, 1, 1, 0].map((value, i) => ({ topic: `t${i}`, values: [value] }));
    expect(clusterBootstrap(lonely, { seed: 3, alpha: 0.1 })?.standardError).toBeGreaterThan(0.15);
    const mixed = [...single([0.2, 0.4, 0.6], "big"), { topic: "one", values: [1] }];
    expect(clusterBootstrap(mixed, { seed: 3, alpha: 0.1 })?.high).toBeGreaterThan(0.6);
  });

  it("takes any statistic: the median of 1..9 is 5", () => {
    const median = (values: readonly number[]): number =>
      [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
    const found = clusterBootstrap(single([1, 2, 3, 4, 5, 6, 7, 8, 9]), { seed: 1, alpha: 0.1, statistic: median });
    expect(found?.estimate).toBe(5);
    expect(found?.low).toBeGreaterThanOrEqual(1);
    expect(found?.low).toBeLessThan(5);
  });

  it("has no interval for fewer than two clusters and refuses values that are not numbers", () => {
    expect(clusterBootstrap([], { seed: 1, alpha: 0.1 })).toBeNull();
    expect(clusterBootstrap(single([1]), { seed: 1, alpha: 0.1 })).toBeNull();
    expect(() => clusterBootstrap(single([1, Number.NaN]), { seed: 1, alpha: 0.1 })).toThrow(/finite/);
    expect(() => clusterBootstrap([{ topic: "a", values: [] }], { seed: 1, alpha: 0.1 })).toThrow(/finite values/);
  });
});
