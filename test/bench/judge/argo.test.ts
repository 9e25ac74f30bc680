import { describe, expect, it } from "vitest";
import { argo, measurementPhase } from "../../../bench/judge/rules/argo.mjs";
import { aSample, anArm, observeAll, type Sample } from "./samples.ts";

const STEPS = [20, 40, 60, 80].flatMap((setWeight) => [{ setWeight }, { pauseS: 600 }]);
const atLeast = (limit: number) => (value: number) => value >= limit;
const SUCCESS_RATE = { metric: "success-rate", success: atLeast(0.95), failureLimit: 3 };
/** The example of "Background Analysis". */
const EXAMPLE = { intervalS: 300, steps: STEPS, background: [SUCCESS_RATE], startingStep: 2 };
const good = anArm(1_000, 0);
const bad = anArm(1_000, 60);

/** One letter a measurement: g good, b bad, n no series, z no request. */
const samples = (letters: string): readonly Sample[] =>
  [...letters].map((letter, index) => {
    const candidate = { g: good, b: bad, n: null, z: anArm(0, 0, []) }[letter] ?? null;
    return aSample(index + 1, 300, candidate);
  });
const after = (letters: string, config: object = EXAMPLE) => observeAll(argo, argo.start(config), samples(letters));
const decisionAfter = (letters: string, config: object = EXAMPLE) => argo.decision(after(letters, config));

describe("Argo Rollouts' rule", () => {
  it("raises the weight by 20 % every 10 minutes and completes after the last pause, 40 minutes in all", () => {
    const weights = ["", "g", "gg", "ggg", "gggg", "gggggg"].map((letters) => argo.shares(after(letters)).candidate);
    expect(weights).toEqual([0.2, 0.2, 0.4, 0.4, 0.6, 0.8]);
    expect(decisionAfter("ggggggg")).toBeNull();
    expect(decisionAfter("gggggggg")).toBe("promote");
  });

  it("begins the background analysis at its starting step: the failures of the first 5 minutes are not seen", () => {
    expect(decisionAfter("bgggggbb")).toBe("promote");
  });

  it("fails on the 4th failed measurement with failureLimit 3, whatever stands between them", () => {
    expect(decisionAfter("gbbb")).toBeNull();
    expect(decisionAfter("gbbbb")).toBe("abort");
    expect(decisionAfter("gbgbgb")).toBeNull();
    expect(decisionAfter("gbgbgbb")).toBe("abort");
    expect(argo.shares(after("gbbbb")).candidate).toBe(0);
  });

  it("fails on the 1st failed measurement by default (failureLimit 0)", () => {
    const strict = { ...EXAMPLE, background: [{ ...SUCCESS_RATE, failureLimit: undefined }] };
    expect(decisionAfter("gb", strict)).toBe("abort");
  });

  it("waits for initialDelay before it measures", () => {
    const delayed = {
      ...EXAMPLE,
      startingStep: 0,
      background: [{ ...SUCCESS_RATE, failureLimit: 0, initialDelayS: 600 }],
    };
    expect(decisionAfter("b", delayed)).toBeNull();
    expect(decisionAfter("bb", delayed)).toBe("abort");
  });

  it("turns an empty result into an error: 4 in a row are forgiven, the 5th aborts", () => {
    const always = { ...EXAMPLE, startingStep: 0 };
    expect(decisionAfter("nnnn", always)).toBeNull();
    expect(decisionAfter("nnnnn", always)).toBe("abort");
    expect(decisionAfter("nnnngnnn", always)).toBe("promote");
  });

  it("pauses for a person when more measurements are inconclusive than inconclusiveLimit", () => {
    const between = {
      ...SUCCESS_RATE,
      success: atLeast(0.99),
      failure: (value: number) => value < 0.9,
      failureLimit: 0,
    };
    const config = { ...EXAMPLE, startingStep: 0, background: [{ ...between, inconclusiveLimit: 1 }] };
    expect(decisionAfter("gb", config)).toBeNull();
    expect(decisionAfter("gbb", config)).toBe("hold");
  });

  it("blocks an analysis step for its count of measurements, one without count, then goes on or aborts", () => {
    const step = (metric: object) => ({
      intervalS: 300,
      steps: [{ setWeight: 20 }, { pauseS: 300 }, { analysis: [metric] }, { setWeight: 60 }, { pauseS: 300 }],
      background: [],
      startingStep: 0,
    });
    const single = step({ metric: "success-rate", success: atLeast(0.95) });
    expect(argo.shares(after("b", single)).candidate).toBe(0.2);
    expect(argo.shares(after("bg", single)).candidate).toBe(0.6);
    expect(decisionAfter("bb", single)).toBe("abort");
    expect(decisionAfter("bgb", single)).toBe("promote");
    const three = step({ metric: "success-rate", success: atLeast(0.95), count: 3, failureLimit: 1 });
    expect(argo.shares(after("ggb", three)).candidate).toBe(0.2);
    expect(argo.shares(after("ggbg", three)).candidate).toBe(0.6);
    expect(decisionAfter("gbgb", three)).toBe("abort");
  });
});

describe("one measurement (Handling Metric Results)", () => {
  const success = atLeast(0.95);
  const failure = (value: number) => value < 0.95;

  it("takes NaN as failed with a success condition, inconclusive with both, successful where it is asked for", () => {
    expect(measurementPhase({ success }, Number.NaN)).toBe("failed");
    expect(measurementPhase({ success, failure }, Number.NaN)).toBe("inconclusive");
    expect(measurementPhase({ success: (value: number) => Number.isNaN(value) || value >= 0.95 }, Number.NaN)).toBe(
      "successful",
    );
  });

  it("takes infinity as successful above a limit, and as failed where the failure condition says so", () => {
    expect(measurementPhase({ success }, Number.POSITIVE_INFINITY)).toBe("successful");
    expect(measurementPhase({ failure: (value: number) => !Number.isFinite(value) }, Number.POSITIVE_INFINITY)).toBe(
      "failed",
    );
  });

  it("takes an empty result as the condition handles it, and default() as its value", () => {
    expect(measurementPhase({ success }, null)).toBe("error");
    expect(measurementPhase({ success, whenEmpty: "success" }, null)).toBe("successful");
    expect(measurementPhase({ success, whenEmpty: "failed" }, null)).toBe("failed");
    expect(measurementPhase({ success: (value: number) => value < 0.05, default: 0 }, null)).toBe("successful");
  });

  it("is inconclusive without any condition", () => {
    expect(measurementPhase({}, 1)).toBe("inconclusive");
  });
});
