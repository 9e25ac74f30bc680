import { describe, expect, it } from "vitest";
import { flagger } from "../../../bench/judge/rules/flagger.mjs";
import { randomStream } from "../../../src/core/stats/random.ts";
import { aSample, anArm, observeAll, type Sample } from "./samples.ts";

const CONFIG = {
  intervalS: 60,
  threshold: 5,
  stepWeight: 10,
  maxWeight: 50,
  metrics: [
    { metric: "success-rate", min: 0.99 },
    { metric: "p99-ms", max: 500 },
  ],
};
const good = anArm(100, 0);
const bad = anArm(100, 2);

/** One letter a check: g passes, b fails. */
const checks = (letters: string): readonly Sample[] =>
  [...letters].map((letter, index) => aSample(index + 1, 60, letter === "g" ? good : bad));
const after = (letters: string, config: object = CONFIG) =>
  observeAll(flagger, flagger.start(config), checks(letters)) as {
    weight: number;
    failedChecks: number;
    decision: string | null;
  };

describe("Flagger's rule", () => {
  it("starts at the first step and promotes after interval x maxWeight / stepWeight when every check passes", () => {
    expect(flagger.shares(flagger.start(CONFIG))).toEqual({ stable: 0.9, candidate: 0.1 });
    expect(after("gggg")).toMatchObject({ weight: 50, decision: null });
    expect(after("ggggg").decision).toBe("promote");
    expect(flagger.sampleS(CONFIG) * 5).toBe((60 * 50) / 10);
  });

  it("takes 25 checks for maxWeight 50 in steps of 2, as the documentation reckons", () => {
    const slow = { ...CONFIG, stepWeight: 2 };
    expect(after("g".repeat(24), slow).decision).toBeNull();
    expect(after("g".repeat(25), slow).decision).toBe("promote");
  });

  it("leaves the weight where it is when a check fails", () => {
    expect(after("gb")).toMatchObject({ weight: 20, failedChecks: 1 });
    expect(after("gbg")).toMatchObject({ weight: 30, failedChecks: 1 });
  });

  it("counts 5 failed checks in total, not in a row, and rolls back one interval after the fifth", () => {
    expect(after("bgbgbgbb")).toMatchObject({ failedChecks: 5, decision: null });
    expect(after("bgbgbgbbg")).toMatchObject({ weight: 0, decision: "abort" });
  });

  it("promotes with 4 failed checks", () => {
    expect(after("bbbbggggg")).toMatchObject({ failedChecks: 4, decision: "promote" });
  });

  it("accepts 99 % itself and refuses a P99 above 500 ms", () => {
    const at = (candidate: ReturnType<typeof anArm>) =>
      (flagger.observe(flagger.start(CONFIG), aSample(1, 60, candidate)) as { failedChecks: number }).failedChecks;
    expect(at(anArm(100, 1))).toBe(0);
    expect(at(anArm(100, 0, [...Array<number>(98).fill(100), 501, 501]))).toBe(1);
    expect(at(anArm(100, 0, [...Array<number>(99).fill(100), 501]))).toBe(0);
  });

  it("fails the check when there are no values: no series, or no request", () => {
    for (const candidate of [null, anArm(0, 0, [])]) {
      const samples = Array.from({ length: 6 }, (_, index) => aSample(index + 1, 60, candidate));
      expect(observeAll(flagger, flagger.start(CONFIG), samples)).toMatchObject({ failedChecks: 5, decision: "abort" });
    }
  });
});

/** 10 checks of n requests each at a fixed weight; the counter may reach `threshold`. */
function thresholdGate(requests: number, rate: number, threshold: number, runs: number): number {
  const config = {
    ...CONFIG,
    threshold,
    stepWeight: 5,
    maxWeight: 50,
    metrics: [{ metric: "success-rate", min: 0.99 }],
  };
  const random = randomStream(requests * 100 + threshold);
  let aborted = 0;
  for (let run = 0; run < runs; run++) {
    let state = flagger.start(config) as { failedChecks: number };
    for (let check = 1; check <= 10; check++) {
      let failures = 0;
      for (let request = 0; request < requests; request++) failures += Number(random() < rate);
      state = flagger.observe(state, aSample(check, 60, anArm(requests, failures)));
    }
    aborted += Number(state.failedChecks >= threshold);
  }
  return aborted / runs;
}

describe("soundness of threshold gates (statistics.md, exact binomial), by the rule itself", () => {
  it.each([
    [20, 0.63, 0.001],
    [50, 0.92, 0.049],
    [100, 0.61, 0.001],
    [200, 0.57, 0.001],
    [500, 0.35, 0],
  ])(
    "%d requests a check at 0.5 % errors stop a healthy candidate in %f (first failure) and %f (fifth) of runs",
    (requests, first, fifth) => {
      expect(Math.abs(thresholdGate(requests, 0.005, 1, 4_000) - first)).toBeLessThan(0.02);
      expect(Math.abs(thresholdGate(requests, 0.005, 5, 4_000) - fifth)).toBeLessThan(0.02);
    },
  );

  it.each([
    [20, 0.018, 0.79],
    [50, 0, 0.11],
    [100, 0, 0.17],
    [200, 0, 0.015],
  ])(
    "%d requests a check at 2 %% errors let harm through in %f (first failure) and %f (fifth) of runs",
    (requests, first, fifth) => {
      expect(Math.abs(1 - thresholdGate(requests, 0.02, 1, 4_000) - first)).toBeLessThan(0.02);
      expect(Math.abs(1 - thresholdGate(requests, 0.02, 5, 4_000) - fifth)).toBeLessThan(0.02);
    },
  );
});
