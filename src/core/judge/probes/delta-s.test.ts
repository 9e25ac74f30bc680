import { describe, expect, it } from "vitest";
import { type OptionsOfGate, probeVerdictsOf } from "../../../../test/verdict-of.ts";
import { aProbeReport } from "../../../../test/probe-report.ts";
import type { ProbeReport } from "../../measure/report.ts";
import { bp } from "../../unit.ts";
import type { Verdict } from "../../verdict.ts";
import { deltaS } from "./delta-s.ts";

type DeltaSOptions = OptionsOfGate<typeof deltaS>;
const OPTIONS: DeltaSOptions = {
  mode: "sequential",
  limit: 0.45,
  stop: 0.6,
  driftMargin: { under10: 0.06, under50: 0.03, from50: 0.03 },
  driftStop: 0.03,
  p95DriftStop: 0.15,
};
const LITERAL: DeltaSOptions = { ...OPTIONS, mode: "literal" };

function judged(options: DeltaSOptions, report: ProbeReport, percent = 5): Verdict {
  const stage = { kind: "probes", candidateBp: bp(percent * 100), heldMs: 0, holdMs: 0 } as const;
  const [verdict] = probeVerdictsOf(deltaS, options, report, stage);
  if (verdict === undefined) throw new Error("no verdict");
  return verdict;
}

/** A drift of the whole set with its interval; the medians of both arms move with it. */
const drifted = (estimate: number, low: number, high: number) => ({
  deltaS: { estimate, ci: [low, high], median: estimate, p95: 0 } as const,
});

describe("delta-s, sequential", () => {
  it("GQ-1: passes a set whose median is within the limit that stable meets, and whose drift is excluded", () => {
    const verdict = judged(OPTIONS, aProbeReport({ candidate: { median: 0.45 }, paired: drifted(0, -0.01, 0.06) }));
    expect(verdict).toMatchObject({ kind: "pass", estimate: 0.45, threshold: 0.45, interval: null });
    expect(verdict.reason).toBe(
      "median delta_s 0.45 (at most 0.45, 0.00 from it, and a drift of 0.06 is let through; measured by the test embedder)",
    );
  });

  it("shows as many digits as tell a median from the limit it is over", () => {
    const close = { stable: { median: 0.4533 }, candidate: { median: 0.4512 }, paired: drifted(0, -0.01, 0.01) };
    const { reason } = judged(OPTIONS, aProbeReport(close));
    expect(reason).toMatch(
      /^median delta_s 0\.451 \(stable itself is over 0\.45 with 0\.453, so the paired drift decides/,
    );
  });

  it("shows the numbers of the rule that decided: a median with its limit, a drift with its own interval", () => {
    const over = { stable: { median: 0.57 }, candidate: { median: 0.58 }, paired: drifted(0.01, -0.01, 0.02) };
    expect(judged(OPTIONS, aProbeReport(over))).toMatchObject({
      kind: "pass",
      estimate: 0.01,
      interval: [-0.01, 0.02],
      threshold: 0.06,
    });
    const far = { stable: { median: 0.57 }, candidate: { median: 0.605 }, paired: drifted(0.03, 0.02, 0.04) };
    expect(judged(OPTIONS, aProbeReport(far))).toMatchObject({ kind: "fail", estimate: 0.605, interval: null });
  });

  it("holds while a drift of the share's margin is not excluded, and says how far it is known", () => {
    const report = aProbeReport({ paired: drifted(0.01, -0.02, 0.04) });
    expect(judged(OPTIONS, report, 5).kind).toBe("pass");
    expect(judged(OPTIONS, report, 10)).toMatchObject({
      kind: "inconclusive",
      estimate: 0.01,
      interval: [-0.02, 0.04],
      threshold: 0.03,
      reason: "delta_s drifted by 0.01 (-0.02..0.04): a drift of 0.03 is not excluded",
    });
  });

  it("GQ-4: stops on a drift that is proven to be beyond the limit, not on one that reaches it", () => {
    expect(judged(OPTIONS, aProbeReport({ paired: drifted(0.05, 0.03, 0.07) })).kind).toBe("inconclusive");
    expect(judged(OPTIONS, aProbeReport({ paired: drifted(0.05, 0.031, 0.07) }))).toMatchObject({
      kind: "fail",
      estimate: 0.05,
      threshold: 0.03,
      interval: [0.031, 0.07],
    });
  });

  it("stops at a median of 0.60 that stable is below, and compares where stable is not", () => {
    const excluded = drifted(0, -0.01, 0.01);
    const at = (stable: number, candidate: number) =>
      judged(OPTIONS, aProbeReport({ stable: { median: stable }, candidate: { median: candidate }, paired: excluded }));
    expect(at(0.59, 0.6)).toMatchObject({ kind: "fail", threshold: 0.6 });
    expect(at(0.59, 0.599).kind).toBe("pass");
    expect(at(0.6, 0.6)).toMatchObject({ kind: "pass", threshold: 0.06 });
    expect(at(0.6, 0.6).reason).toContain("stable itself is over 0.45 with 0.60, so the paired drift decides");
  });

  it("holds a median over the limit that stable meets, also at the limit itself", () => {
    const excluded = drifted(0, -0.01, 0.01);
    const over = (stable: number) =>
      judged(OPTIONS, aProbeReport({ stable: { median: stable }, candidate: { median: 0.46 }, paired: excluded }));
    expect(over(0.45)).toMatchObject({ kind: "inconclusive", threshold: 0.45, estimate: 0.46 });
    expect(over(0.46).kind).toBe("pass");
  });

  it("RB-2: stops on a p95 that rose by more than 0.15, by its own code", () => {
    const rise = (p95: number) =>
      judged(OPTIONS, aProbeReport({ candidate: { p95 }, paired: drifted(0, -0.01, 0.01) }));
    expect(rise(0.649).kind).toBe("pass");
    expect(rise(0.651)).toMatchObject({ kind: "fail", condition: "delta_s_p95_drift", threshold: 0.15 });
    expect(rise(0.651).reason).toBe("the p95 of delta_s rose by 0.15, more than 0.15");
  });

  it("judges one target alone by its level", () => {
    const alone = (median: number) => judged(OPTIONS, aProbeReport({ stable: null, candidate: { median, p95: 1 } }));
    expect(alone(0.45)).toMatchObject({ kind: "pass", interval: null, samples: { stable: 0, candidate: 50 } });
    expect([alone(0.46).kind, alone(0.6).kind]).toEqual(["inconclusive", "fail"]);
  });
});

describe("delta-s, literal", () => {
  it("reads median, drift and p95 as they are", () => {
    const verdict = judged(LITERAL, aProbeReport({ candidate: { median: 0.42 } }));
    expect(verdict).toMatchObject({ kind: "pass", estimate: 0.42, threshold: 0.45 });
    expect(verdict.reason).toBe("median delta_s 0.42, drift 0.02, p95 risen by 0.00");
    const stopped = judged(LITERAL, aProbeReport({ candidate: { median: 0.6, p95: 0.6 } }));
    expect(stopped).toMatchObject({ kind: "fail", threshold: 0.6 });
    expect(stopped.reason).toBe("median delta_s 0.60, drift 0.20, p95 risen by 0.10: the median reaches 0.6");
  });

  it("wants both, the level and a drift either way within the share's margin", () => {
    const at = (stable: number, candidate: number, percent = 10) =>
      judged(LITERAL, aProbeReport({ stable: { median: stable }, candidate: { median: candidate } }), percent).kind;
    expect([at(0.4, 0.425), at(0.4, 0.375)]).toEqual(["pass", "pass"]);
    expect([at(0.4, 0.44), at(0.4, 0.36), at(0.46, 0.46)]).toEqual(["inconclusive", "inconclusive", "inconclusive"]);
    expect(at(0.4, 0.44, 5)).toBe("pass");
  });

  it("judges one target alone without drifts", () => {
    expect(judged(LITERAL, aProbeReport({ stable: null, candidate: { p95: 1 } })).kind).toBe("pass");
  });
});

describe("delta-s without data", () => {
  it.each([OPTIONS, LITERAL])("never stops on the placeholders of a set without answers ($mode)", (options) => {
    const silent = { measured: 0, median: 1, p95: 1 };
    const failed = judged(options, aProbeReport({ candidate: { ...silent, errors: 300 } }));
    expect(failed).toMatchObject({ kind: "inconclusive", needs: "runs that get an answer" });
    const broken = judged(options, aProbeReport({ candidate: { ...silent, schemaViolations: 300 } }));
    expect(broken).toMatchObject({
      kind: "no-data",
      estimate: null,
      reason: "the contract is broken in all 300 answers of the candidate",
    });
    expect(judged(options, aProbeReport({ candidate: { ...silent, runs: 0 } })).kind).toBe("no-data");
  });

  it.each([OPTIONS, LITERAL])(
    "refuses a set that cannot tell gold from decoy, and one whose self-test is silent ($mode)",
    (options) => {
      const calibration = { mGold: 0.5, mDecoy: 0.5, auc: 0.5, usable: false, reason: "AUC 0.50" };
      const refused = judged(options, aProbeReport({ calibration, candidate: { median: 0.9 } }));
      expect(refused).toMatchObject({ kind: "error", reason: "delta_s is not calibratable: AUC 0.50" });
      const unnamed = judged(options, aProbeReport({ calibration: { ...calibration, reason: null } }));
      expect(unnamed.reason).toBe("delta_s is not calibratable: gold and decoy are too close");
      expect(judged(options, aProbeReport({ selfTest: "did not fire" })).kind).toBe("error");
    },
  );
});
