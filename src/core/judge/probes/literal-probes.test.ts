import { describe, expect, it } from "vitest";
import { aPreset } from "../../../../test/builders.ts";
import { aProbeReport, type Shown } from "../../../../test/probe-report.ts";
import { bp } from "../../unit.ts";
import type { StageView } from "../block.ts";
import { judgeProbes } from "../engine.ts";
import type { GateName } from "../gates.ts";
import { gateLabel } from "../setting.ts";

const STAGE: StageView = { kind: "probes", candidateBp: bp(0), heldMs: 0, holdMs: 0 };

function judge(preset: string, gate: GateName, candidate: Shown, stable: Shown = {}, repeats = 2) {
  const setting = { gate, options: { ...aPreset(preset).gates[gate] }, source: "test" };
  return judgeProbes(aProbeReport({ stable, candidate, repeats }), STAGE, [setting]);
}
const kinds = (...asked: Parameters<typeof judge>) =>
  judge(...asked).map((verdict) => [gateLabel(verdict), verdict.kind]);

describe("literal limits on probes", () => {
  it.each([
    [0.45, "pass"],
    [0.46, "inconclusive"],
    [0.59, "inconclusive"],
    [0.6, "fail"],
  ] as const)("GQ-3: a median ΔS of %f is %s, whatever stable has", (median, kind) => {
    expect(kinds("canary-serverless", "delta-s", { median }, { median })).toEqual([["delta-s", kind]]);
  });

  it("GQ-4: ΔS may move by 0.03 either way, and holds beyond", () => {
    expect(kinds("shaping-strict", "delta-s", { median: 0.43 }, { median: 0.4 })).toEqual([["delta-s", "pass"]]);
    expect(kinds("shaping-strict", "delta-s", { median: 0.3 }, { median: 0.4 })).toEqual([["delta-s", "inconclusive"]]);
  });

  it("RB-2: a p95 of ΔS that rises by more than 0.15 stops bg-ops and says so by its code", () => {
    expect(kinds("bg-ops", "delta-s", { p95: 0.64 })).toEqual([["delta-s", "pass"]]);
    expect(judge("bg-ops", "delta-s", { p95: 0.66 })).toMatchObject([{ kind: "fail", condition: "delta_s_p95_drift" }]);
  });

  it.each([
    ["bg-ops", 0.7, "pass"],
    ["bg-ops", 0.65, "inconclusive"],
    ["bg-ops", 0.59, "fail"],
    ["bg-serverless", 0.69, "fail"],
  ] as const)("GQ-6, RB-2: %s reads a coverage of %f as %s where stable has 0.7", (preset, coverage, kind) => {
    expect(kinds(preset, "coverage", { coverage }, { coverage: 0.7 })).toEqual([["coverage", kind]]);
  });

  it("GQ-7: bg-ops holds a coverage of 0.71 where stable has 0.95", () => {
    expect(kinds("bg-ops", "coverage", { coverage: 0.71 }, { coverage: 0.95 })).toEqual([["coverage", "inconclusive"]]);
  });

  it("ST-11: calls no coverage too low where nothing was answered", () => {
    const [[, kind] = []] = kinds("bg-serverless", "coverage", { coverage: 0, measured: 0 });
    expect(kind).not.toBe("fail");
    expect(kinds("bg-serverless", "coverage", { coverage: 0 })).toEqual([["coverage", "fail"]]);
  });

  it("ST-3: one topic under 0.70 stops canary-serverless, on five questions too, and bg-ops has no such rule", () => {
    const candidate = { topics: { billing: 0.69, refunds: 0.7 } };
    expect(kinds("canary-serverless", "coverage", candidate)).toEqual([
      ["coverage", "pass"],
      ["coverage[billing]", "fail"],
    ]);
    expect(kinds("bg-ops", "coverage", candidate)).toEqual([["coverage", "pass"]]);
  });

  it("ST-6: two flipped phrasings of one question hold at first, and stop once the question was asked again", () => {
    expect(kinds("canary-serverless", "lambda", { flips: 1 })).toEqual([["lambda", "pass"]]);
    expect(kinds("canary-serverless", "lambda", { flips: 2 })).toEqual([["lambda", "inconclusive"]]);
    expect(judge("canary-serverless", "lambda", { flips: 2 }, {}, 4)).toMatchObject([
      { kind: "fail", condition: "lambda_flip" },
    ]);
  });

  it("GQ-10, GQ-11, RB-2: strict wants 95 % convergent, bg-ops no more flips than stable and stops above 0.20", () => {
    expect(kinds("bg-serverless", "lambda", { convergent: 0.94 })).toEqual([["lambda", "inconclusive"]]);
    expect(kinds("bg-ops", "lambda", { flipRate: 0.1 }, { flipRate: 0.1 })).toEqual([["lambda", "pass"]]);
    expect(kinds("bg-ops", "lambda", { flipRate: 0.11 }, { flipRate: 0.1 })).toEqual([["lambda", "inconclusive"]]);
    expect(kinds("bg-ops", "lambda", { flipRate: 0.21 }, { flipRate: 0.3 })).toEqual([["lambda", "fail"]]);
  });
});
