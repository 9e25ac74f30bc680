import { describe, expect, it } from "vitest";
import { type OptionsOfGate, probeVerdictsOf } from "../../../../test/verdict-of.ts";
import { aProbeReport, type Shown } from "../../../../test/probe-report.ts";
import type { ProbeReport } from "../../measure/report.ts";
import { bp } from "../../unit.ts";
import type { Verdict } from "../../verdict.ts";
import { lambda } from "./lambda.ts";

type LambdaOptions = OptionsOfGate<typeof lambda>;
const OPTIONS: LambdaOptions = {
  mode: "sequential",
  level: "paired",
  margin: { under10: 0.1, under50: 0.05, from50: 0.05 },
  increaseStop: 0.05,
  flipRateStop: 0.2,
  maxFlipsPerQuestion: 1,
};

function judged(options: Partial<LambdaOptions>, report: ProbeReport, percent = 5): Verdict {
  const stage = { kind: "probes", candidateBp: bp(percent * 100), heldMs: 0, holdMs: 0 } as const;
  const [verdict] = probeVerdictsOf(lambda, { ...OPTIONS, ...options }, report, stage);
  if (verdict === undefined) throw new Error("no verdict");
  return verdict;
}

type Change = readonly [estimate: number, low: number, high: number];
const CALM: Change = [0, -0.02, 0.02];
/** Changes of flip rate and convergent share, with what each arm showed. */
const paired = (flips: Change, convergent: Change = CALM, candidate: Shown = {}, stable: Shown = {}) =>
  aProbeReport({
    candidate,
    stable,
    paired: {
      flipRate: { estimate: flips[0], ci: [flips[1], flips[2]] },
      convergentShare: { estimate: convergent[0], ci: [convergent[1], convergent[2]] },
    },
  });

describe("lambda, sequential", () => {
  it("GQ-12: passes once neither a rise of flips nor a fall of convergent questions by the margin is possible", () => {
    const verdict = judged({}, paired([0, -0.1, 0.1], [0, -0.1, 0.1], { convergent: 0.9, flipRate: 0.02 }));
    expect(verdict).toMatchObject({ kind: "pass", estimate: 0.9, threshold: 0.1 });
    expect(verdict.reason).toBe("0.90 of the questions converge, 0.02 of the phrasings flip");
    expect(judged({}, paired([0, -0.1, 0.101])).kind).toBe("inconclusive");
    expect(judged({}, paired(CALM, [0, -0.101, 0.1]))).toMatchObject({ kind: "inconclusive", needs: "more questions" });
  });

  it("takes the margin of the share in force", () => {
    expect([5, 10, 50].map((percent) => judged({}, paired([0, -0.08, 0.08]), percent).kind)).toEqual([
      "pass",
      "inconclusive",
      "inconclusive",
    ]);
  });

  it("GQ-11: stops on a rise of flips, and on a fall of convergent questions, that is proven beyond the limit", () => {
    expect(judged({}, paired([0.1, 0.05, 0.2])).kind).toBe("inconclusive");
    const risen = judged({}, paired([0.1, 0.051, 0.2]));
    expect(risen).toMatchObject({ kind: "fail", estimate: 0.1, threshold: 0.05, interval: [0.051, 0.2] });
    expect(risen.reason).toBe("the flip rate rose by 0.10 (0.05..0.20): a rise beyond 0.05 is proven");
    expect(judged({}, paired(CALM, [-0.1, -0.2, -0.05])).kind).toBe("inconclusive");
    const fallen = judged({}, paired(CALM, [-0.1, -0.2, -0.06]));
    expect(fallen).toMatchObject({ kind: "fail", estimate: -0.1, threshold: -0.05, interval: [-0.2, -0.06] });
    expect(fallen.reason).toBe(
      "the share of convergent questions fell by 0.10 (0.06..0.20): a fall beyond 0.05 is proven",
    );
  });

  it("RB-2: stops at a flip rate over 0.20 where stable flips less, and compares where stable flips as much", () => {
    const at = (candidate: number, stable: number) =>
      judged({}, paired(CALM, CALM, { flipRate: candidate }, { flipRate: stable })).kind;
    expect([at(0.2, 0), at(0.21, 0.2), at(0.21, 0.21)]).toEqual(["pass", "fail", "pass"]);
    expect(judged({}, aProbeReport({ stable: null, candidate: { flipRate: 0.21 } }))).toMatchObject({
      kind: "fail",
      threshold: 0.2,
      reason: "0.21 of the phrasings flip, over 0.2",
    });
  });

  it.each([
    ["strict", { convergent: 0.95 }, "pass"],
    ["strict", { convergent: 0.949 }, "0.95 of the questions converge, 0.95 is wanted"],
    ["strict", { states: { "→": 48, "<>": 2 } }, "pass"],
    ["strict", { states: { "→": 49, "×": 1 } }, "1 questions are chaotic"],
    ["loose", { convergent: 0.8, states: { "→": 45, "<>": 5 } }, "pass"],
    ["loose", { convergent: 0.79 }, "0.79 of the questions converge, 0.8 is wanted"],
    ["loose", { states: { "→": 44, "<>": 6 } }, "6 of 50 questions are recursive"],
    ["loose", { states: { "→": 49, "×": 1 } }, "1 questions are chaotic"],
    ["paired", { convergent: 0.1, states: { "→": 44, "<>": 5, "×": 1 } }, "pass"],
  ] as const)("GQ-10: at the level %s, %j is %s", (level, candidate, expected) => {
    for (const mode of ["sequential", "literal"] as const) {
      // Stable converges as much, so that the level alone decides.
      const stable = "convergent" in candidate ? { convergent: candidate.convergent } : {};
      const verdict = judged({ mode, level }, paired(CALM, CALM, candidate, stable));
      if (expected === "pass") expect(verdict.kind).toBe("pass");
      else expect(verdict).toMatchObject({ kind: "inconclusive", reason: expected, needs: "a person" });
    }
  });

  it("names the level it missed", () => {
    expect(judged({ level: "loose" }, paired(CALM, CALM, { convergent: 0.7 })).threshold).toBe(0.8);
  });

  it("judges one target alone by its level", () => {
    expect(judged({}, aProbeReport({ stable: null })).kind).toBe("pass");
    expect(judged({ level: "strict" }, aProbeReport({ stable: null, candidate: { convergent: 0.5 } })).kind).toBe(
      "inconclusive",
    );
  });
});

describe("lambda, literal", () => {
  const literal = { mode: "literal" } as const;

  it("says what it read", () => {
    const verdict = judged(literal, aProbeReport({ candidate: { convergent: 0.9, flipRate: 0, flips: 1 } }));
    expect(verdict).toMatchObject({ kind: "pass", estimate: 0, threshold: 0.2 });
    expect(verdict.reason).toBe(
      "0.90 of the questions converge, 0.00 of the phrasings flip, at most 1 of one question",
    );
  });

  it("stops beyond the flip rate whatever stable has, and holds where stable flips less", () => {
    const at = (candidate: number, stable: number) =>
      judged(literal, aProbeReport({ candidate: { flipRate: candidate }, stable: { flipRate: stable } }));
    expect([at(0.2, 0.2).kind, at(0.21, 0.5).kind, at(0.1, 0.2).kind]).toEqual(["pass", "fail", "pass"]);
    expect(at(0.1, 0.05).kind).toBe("inconclusive");
    expect(at(0.1, 0.05).reason).toContain("; stable flips less, 0.05");
  });

  it("ST-6: asks a question that flips too often again before it stops, and has no such rule without a limit", () => {
    const report = (repeats: number) => aProbeReport({ candidate: { flips: 2 }, repeats });
    expect(judged(literal, report(3))).toMatchObject({ kind: "inconclusive", threshold: 1, condition: "lambda_flip" });
    expect(judged(literal, report(4))).toMatchObject({ kind: "fail", estimate: 2, condition: "lambda_flip" });
    expect(judged({ ...literal, maxFlipsPerQuestion: 2 }, report(4)).kind).toBe("pass");
    expect(judged({ ...literal, maxFlipsPerQuestion: null }, report(4)).kind).toBe("pass");
  });
});

describe("lambda without data", () => {
  it.each(["sequential", "literal"] as const)("never passes a set in which no question has a state (%s)", (mode) => {
    const silent = paired(CALM, CALM, { convergent: 0, states: { unknown: 50 } });
    expect(judged({ mode }, silent)).toMatchObject({ kind: "no-data", needs: "more phrasings or repetitions" });
    expect(judged({ mode }, paired(CALM, CALM, { states: { unknown: 49, "→": 1 } })).kind).toBe("pass");
    expect(judged({ mode }, aProbeReport({ selfTest: "did not fire" })).kind).toBe("error");
  });
});
