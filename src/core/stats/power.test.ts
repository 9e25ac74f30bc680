import { describe, expect, it } from "vitest";
import {
  cleanRequestsToBound,
  mcnemarPower,
  minimumDetectableDrop,
  questionsToDetect,
  samplesForUpperLimit,
  secondsToProof,
} from "./power.ts";

describe("power", () => {
  it("needs 99 and 223 questions for a drop of .05 at sd .2 and .3, 275 and 619 for .03", () => {
    expect([0.2, 0.3].map((sd) => questionsToDetect(0.05, sd))).toEqual([99, 223]);
    expect([0.2, 0.3].map((sd) => questionsToDetect(0.03, sd))).toEqual([275, 619]);
  });

  it("sees drops of .12 to .17 with 40 to 20 probes of sd .3, .11 with 50 and .05 with 200", () => {
    const seen = (questions: number): number => minimumDetectableDrop(0.3, questions);
    expect(seen(40)).toBeCloseTo(0.12, 2);
    expect(seen(20)).toBeCloseTo(0.17, 2);
    expect(seen(50)).toBeCloseTo(0.11, 2);
    expect(seen(200)).toBeCloseTo(0.05, 2);
    expect(minimumDetectableDrop(1, 1)).toBeCloseTo(2.486, 3);
  });

  it("has McNemar power .12, .40, .78 for 15 % lost against 5 % gained with 50, 100, 200 questions at alpha .01", () => {
    const power = (questions: number, side: "worse" | "two-sided"): number =>
      mcnemarPower({ lost: 0.15, gained: 0.05 }, questions, 0.01, side);
    // One-sided; the published values are simulated to about one point.
    for (const [questions, published] of [
      [50, 0.12],
      [100, 0.4],
      [200, 0.78],
    ] as const)
      expect(Math.abs(power(questions, "worse") - published)).toBeLessThan(0.01);
    expect(power(100, "two-sided")).toBeLessThan(power(100, "worse"));
  });

  it("predicts the simulated medians of the Bernoulli e-process within 15 % above 10 s", () => {
    const rows = [
      [10, 0.01, 0.5, 70],
      [10, 0.01, 0.05, 1496],
      [10, 0.05, 0.05, 327],
      [10, 0.1, 0.02, 919],
      [10, 0.5, 0.05, 78],
      [100, 0.01, 0.05, 123],
      [100, 0.05, 0.02, 148],
      [100, 0.1, 0.05, 16],
    ] as const;
    for (const [requestsPerSecond, candidateShare, candidateRate, medianS] of rows) {
      const found = secondsToProof({
        requestsPerSecond,
        candidateShare,
        candidateRate,
        stableRate: 0.005,
        alpha: 0.001,
      });
      expect(Math.abs((found ?? 0) / medianS - 1)).toBeLessThan(0.15);
    }
    const same = { requestsPerSecond: 10, candidateShare: 0.1, candidateRate: 0.01, stableRate: 0.01, alpha: 0.001 };
    expect(secondsToProof(same)).toBeNull();
  });

  it("needs 600 and 300 clean requests for 0.5 % and 1 %, and 59 values for an upper limit of p95", () => {
    expect([0.005, 0.01].map(cleanRequestsToBound)).toEqual([600, 300]);
    expect(samplesForUpperLimit(0.95, 0.95)).toBe(59);
  });

  it("refuses rates that make no sense", () => {
    expect(() => questionsToDetect(0, 1)).toThrow(/drop/);
    expect(() => mcnemarPower({ lost: 0, gained: 0 }, 10, 0.05, "worse")).toThrow(/discordant/);
  });
});
