import { describe, expect, it } from "vitest";
import { type OptionsOfGate, probeVerdictsOf } from "../../../../test/verdict-of.ts";
import { aProbeReport, type Shown } from "../../../../test/probe-report.ts";
import type { ProbeReport } from "../../measure/report.ts";
import { bp } from "../../unit.ts";
import { errorRate } from "./error-rate.ts";
import { schemaViolation } from "../probes/schema-violation.ts";

const STAGE = { kind: "probes", candidateBp: bp(0), heldMs: 0, holdMs: 0 } as const;
type ErrorRateOptions = OptionsOfGate<typeof errorRate>;
const OPTIONS: ErrorRateOptions = {
  mode: "sequential",
  alpha: 0.001,
  beta: 0.05,
  margin: { under10: 0.02, under50: 0.01, from50: 0.005 },
  minSamples: 100,
};

const judged = (report: ProbeReport) => probeVerdictsOf(errorRate, OPTIONS, report, STAGE)[0];
const failing = (candidate: Shown, stable: Shown = {}, only = { stable: 0, candidate: 0 }) =>
  judged(aProbeReport({ candidate, stable, paired: { errorsOnly: only } }));

describe("error-rate before the first user", () => {
  it("passes a few failed runs that chance explains, and says what it saw", () => {
    expect(failing({ errors: 6 }, { errors: 3 })).toMatchObject({
      gate: "error-rate",
      kind: "pass",
      estimate: 0.02,
      threshold: 0.05,
      reason: "6 of 300 probes of the candidate failed; 3 of 300 of stable",
    });
  });

  it("stops on runs that fail on the candidate alone: 10 of 10 at alpha 0.001, not 9", () => {
    expect(failing({ errors: 9 }, {}, { stable: 0, candidate: 9 })?.kind).not.toBe("fail");
    expect(failing({ errors: 10 }, {}, { stable: 0, candidate: 10 })?.kind).toBe("fail");
    expect(failing({ errors: 10 }, {}, { stable: 1, candidate: 10 })?.kind).not.toBe("fail");
  });

  it("shows no limit beside a share that keeps it where the pairs decided", () => {
    expect(failing({ errors: 10 }, {}, { stable: 0, candidate: 10 })).toMatchObject({
      kind: "fail",
      threshold: null,
      reason: "10 of 300 probes of the candidate failed; 0 of 300 of stable: more than chance allows",
    });
    expect(failing({ runs: 20, errors: 4 }, { runs: 20, errors: 1 })?.threshold).toBe(0.05);
  });

  it("stops beyond 5 % of its runs where stable fails in less than half of that", () => {
    const twenty = (errors: number, stable: number) =>
      failing({ runs: 20, errors }, { runs: 20, errors: stable })?.kind;
    expect([twenty(1, 0), twenty(2, 0), twenty(4, 1), twenty(4, 2)]).toEqual([
      "inconclusive",
      "fail",
      "fail",
      "inconclusive",
    ]);
    expect(failing({ runs: 20, errors: 2 }, { runs: 0 })?.kind).toBe("fail");
  });

  it("judges one target alone by its own runs", () => {
    const alone = (errors: number) => judged(aProbeReport({ stable: null, candidate: { runs: 20, errors } }));
    expect(alone(2)).toMatchObject({ kind: "fail", samples: { stable: 0 } });
    expect(alone(2)?.reason).toBe("2 of 20 probes of the candidate failed");
    expect(alone(0)?.kind).toBe("pass");
    expect(judged(aProbeReport({ stable: null, candidate: { runs: 1_000, errors: 10 } }))?.kind).toBe("fail");
  });

  it("holds beyond 2 % failed runs of either arm, and says which", () => {
    expect(failing({ errors: 7 }, { errors: 7 })).toMatchObject({
      kind: "inconclusive",
      reason: "14 of 600 probes failed, on both arms; at most 2 % may fail",
    });
    expect(failing({ errors: 7 }, { errors: 6 })?.reason).toBe(
      "7 of 300 probes of the candidate failed; at most 2 % may fail",
    );
    expect(failing({ errors: 6 }, { errors: 7 })?.reason).toBe(
      "7 of 300 probes of stable failed; at most 2 % may fail",
    );
  });

  it("names what the probes met instead of an answer", () => {
    const refused = { errors: 300, errorClasses: { "headers|other|401": 300 }, measured: 0 };
    expect(failing(refused, refused)?.reason).toBe(
      "600 of 600 probes answered 401, on both arms; at most 2 % may fail",
    );
    const mixed = { errors: 150, errorClasses: { "connect|network|ECONNREFUSED": 100, "headers|5xx|503": 50 } };
    expect(failing(mixed)?.reason).toBe(
      "150 of 300 probes of the candidate failed: 100 found no connection (ECONNREFUSED), 50 answered 503; 0 of 300 of stable",
    );
  });

  it("says nothing without a run: other gates say that there is no data", () => {
    expect(probeVerdictsOf(errorRate, OPTIONS, aProbeReport({ candidate: { runs: 0 } }), STAGE)).toEqual([]);
  });
});

describe("schema-violation", () => {
  const broken = (candidate: Shown, maxShare: number, stable: Shown | null = {}) =>
    probeVerdictsOf(schemaViolation, { maxShare }, aProbeReport({ candidate, stable }), STAGE)[0];

  it("SL-6: fails on the first broken answer where none is allowed, and at the limit not yet", () => {
    expect(broken({ schemaViolations: 0 }, 0)).toMatchObject({ kind: "pass", estimate: 0 });
    expect(broken({ schemaViolations: 1 }, 0)).toMatchObject({
      kind: "fail",
      samples: { stable: 300, candidate: 300 },
      reason: "the contract is broken in 1 of 300 answers of the candidate and in 0 of 300 of stable (at most 0.00 %)",
    });
    expect(broken({ schemaViolations: 3 }, 0.01)).toMatchObject({ kind: "pass", threshold: 0.01 });
    expect(broken({ schemaViolations: 3 }, 0.01, null)?.samples).toEqual({ stable: 0, candidate: 300 });
    expect(broken({ schemaViolations: 4 }, 0.01)?.kind).toBe("fail");
  });

  it("blames the contract or its mapping, not the candidate, where stable breaks it as often", () => {
    const what = "field `citations` is missing";
    const failures = [{ kind: "schema-violation", what, runs: 150, question: "q1", excerpt: "{}" }] as const;
    const shown = (schemaViolations: number) => ({ runs: 150, schemaViolations, failures });
    expect(broken(shown(150), 0, shown(150))).toMatchObject({
      kind: "error",
      reason: "field `citations` is missing in 150 of 150 answers of both arms (at most 0.00 %)",
      needs: expect.stringContaining("mapping"),
    });
    expect(broken(shown(150), 0, shown(149))).toMatchObject({
      kind: "fail",
      reason: expect.stringContaining("in 150 of 150 answers of the candidate and in 149 of 150 of stable"),
    });
  });

  it("is no data without an answer, and says what came instead", () => {
    const silent = { errors: 300, errorClasses: { "headers|other|401": 300 } };
    expect(broken(silent, 0, silent)).toMatchObject({
      kind: "no-data",
      reason: expect.stringContaining("600 of 600 probes answered 401"),
    });
  });

  it("is no data without a run", () => {
    expect(broken({ runs: 0 }, 0)).toMatchObject({ kind: "no-data", gate: "schema-violation" });
  });
});
