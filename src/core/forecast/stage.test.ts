import { describe, expect, it } from "vitest";
import { aPlan, aPreset, gatesOf, traffic } from "../../../test/builders.ts";
import type { TrafficStage } from "../stage/plan.ts";
import { forecastStage, type GateForecast } from "./stage.ts";

const ASSUMED = { requestsPerSecond: 100, failureRate: 0.005, latencySigma: 0.5 };

function forecast(preset: string, percent: number, gate: string, requestsPerSecond = 100): GateForecast {
  const plan = aPlan({ gates: gatesOf(aPreset(preset)) });
  const stage = traffic(percent, 900_000, 28_800_000) as TrafficStage;
  const found = forecastStage(plan, stage, { ...ASSUMED, requestsPerSecond }).find((one) => one.gate === gate);
  if (found === undefined) throw new Error(`${gate} is not asked at ${percent} %`);
  return found;
}

describe("forecastStage", () => {
  it.each([
    [1, 343],
    [10, 988],
    [50, 4_976],
  ])("needs near the policy's 380, 1 000 and 4 000 candidate requests at %i %%: %i", (percent, needed) => {
    expect(forecast("default", percent, "error-rate").needsSamples).toBe(needed);
  });

  it("says that a stage of 1 % cannot be proven within 8 hours at 1 request a second, and what would help", () => {
    expect(forecast("default", 1, "error-rate", 1)).toMatchObject({
      isFeasible: false,
      fix: "a longer cap, a higher share, or a wider margin",
    });
    expect(forecast("default", 5, "error-rate", 1).isFeasible).toBe(true);
  });

  it("says that an error level cannot be proven when healthy traffic is assumed above it", () => {
    const plan = aPlan({
      gates: [
        {
          gate: "five-xx-abs",
          source: "test",
          options: { ...aPreset("strictest").gates["five-xx-abs"], promote: 0.001 },
        },
      ],
    });
    const [found] = forecastStage(plan, traffic(10) as TrafficStage, ASSUMED);
    expect(found).toMatchObject({ isFeasible: false, needsSamples: null });
    expect(found?.fix).toContain("a limit above 0.50 %");
  });

  it("asks for the peak's rate before it promises a peak hour", () => {
    expect(forecast("canary-serverless", 50, "peak-hour")).toMatchObject({ isFeasible: false });
    expect(() => forecast("canary-serverless", 25, "peak-hour")).toThrow("is not asked");
  });

  it.each([
    [300, 1.25, 0.004],
    [600, 1.15, 0.01],
    [1_200, 1.1, 0.01],
  ])("computes the false alarms of a literal p95 limit: %i samples at %fx about %f", (samples, ratio, published) => {
    const plan = aPlan({
      gates: [
        {
          gate: "p95-warm",
          source: "test",
          options: { ...aPreset("bg-serverless").gates["p95-warm"], minSamples: samples, harmRatio: ratio },
        },
      ],
    });
    const [found] = forecastStage(plan, traffic(10) as TrafficStage, ASSUMED);
    expect(Math.abs((found?.falseStop ?? 0) - published)).toBeLessThanOrEqual(0.005);
  });

  it("prints that half a tenth of a point read literally stops a third of all healthy looks", () => {
    expect(forecast("shaping-strict", 5, "five-xx-delta").falseStop).toBeCloseTo(0.353, 2);
  });

  it("waits for stable above 50 %: 1 200 of each arm are 3 600 of the candidate at 75 %", () => {
    expect(forecast("shaping-strict", 75, "p95-equal-load").needsSamples).toBe(3_600);
  });
});
