import { describe, expect, it } from "vitest";
import { aProbeReport, type Shown } from "../../../../test/probe-report.ts";
import { type OptionsOfGate, probeVerdictsOf } from "../../../../test/verdict-of.ts";
import type { ProbeReport, TopicCoverage } from "../../measure/report.ts";
import { bp } from "../../unit.ts";
import { gateLabel } from "../setting.ts";
import { coverage } from "./coverage.ts";

type CoverageOptions = OptionsOfGate<typeof coverage>;
const OPTIONS: CoverageOptions = {
  mode: "sequential",
  level: 0.7,
  stop: 0.6,
  dropMargin: { under10: 0.1, under50: 0.05, from50: 0.05 },
  dropStop: 0.05,
  topicLevel: 0.7,
  topicFloor: 0.5,
};
const LITERAL: CoverageOptions = { ...OPTIONS, mode: "literal" };

function judged(report: ProbeReport, options = OPTIONS, percent = 5) {
  const stage = { kind: "probes", candidateBp: bp(percent * 100), heldMs: 0, holdMs: 0 } as const;
  return probeVerdictsOf(coverage, options, report, stage);
}
const kinds = (...asked: Parameters<typeof judged>) =>
  judged(...asked).map((verdict) => `${gateLabel(verdict)} ${verdict.kind}`);

/** Both arms compared: the change of coverage and its interval. */
const changed = (estimate: number, low: number, high: number) => ({ coverage: { estimate, ci: [low, high] as const } });
const CALM = changed(0, -0.01, 0.01);
const SILENT = { errors: 300 };

describe("coverage, its level", () => {
  it("GQ-6: passes at the level, holds under it, and stops where even the upper bound is under the stop limit", () => {
    const at = (shown: Shown, stable: Shown = {}) =>
      judged(aProbeReport({ candidate: shown, stable, paired: CALM }))[0];
    expect(at({ coverage: 0.7, coverageCi: [0.6, 0.8] })).toMatchObject({
      kind: "pass",
      estimate: 0.7,
      interval: [0.6, 0.8],
      threshold: 0.7,
      reason: "coverage 0.70, at least 0.7 is wanted",
    });
    expect(at({ coverage: 0.69 })).toMatchObject({
      kind: "inconclusive",
      reason: "coverage 0.69 is under 0.7, but not proven to be under 0.6; on stable it is 0.80",
    });
    const low = { coverage: 0.5, coverageCi: [0.4, 0.59] } as const;
    expect(at(low)).toMatchObject({
      kind: "fail",
      threshold: 0.6,
      reason: expect.stringMatching(/^coverage 0\.50 \(0\.\d\d\.\.0\.59\): proven to be below 0\.6$/),
    });
    expect(at({ ...low, coverageCi: [0.4, 0.6] })?.kind).toBe("inconclusive");
    expect(at(low, { coverage: 0.59 })?.kind).toBe("inconclusive");
    expect(at(low, { coverage: 0.6 })?.kind).toBe("fail");
    expect(judged(aProbeReport({ candidate: low, stable: null }))[0]?.kind).toBe("fail");
  });

  it("GQ-7: stops on a proven drop, and holds while a drop of the share's margin is not excluded", () => {
    const at = (paired: ReturnType<typeof changed>, percent = 5) =>
      judged(aProbeReport({ paired }), OPTIONS, percent)[0];
    expect(at(changed(-0.1, -0.15, -0.051))).toMatchObject({
      kind: "fail",
      estimate: -0.1,
      interval: [-0.15, -0.051],
      threshold: -0.05,
      reason: "coverage changed by -0.10 (-0.15..-0.05) against stable: a drop beyond 0.05 is proven",
    });
    expect(at(changed(-0.1, -0.15, -0.05))?.kind).toBe("inconclusive");
    expect(at(changed(0, -0.1, 0.1))?.kind).toBe("pass");
    expect(at(changed(0, -0.101, 0.1))).toMatchObject({
      kind: "inconclusive",
      threshold: -0.1,
      needs: "more questions",
    });
    expect(at(changed(0, -0.06, 0.1), 10)).toMatchObject({ kind: "inconclusive", threshold: -0.05 });
  });

  it("says which drops the set can see", () => {
    const report = aProbeReport({ paired: changed(0, -0.2, 0.1), detectableDrop: { coverage: 0.08 } });
    expect(judged(report)[0]?.needs).toBe("more questions; this set sees drops of 0.08");
  });

  it("judges one target alone by its level", () => {
    expect(kinds(aProbeReport({ stable: null }))).toEqual(["coverage pass"]);
  });
});

describe("coverage, its topics", () => {
  const topic = (mean: number, high = 1, questions = 9): TopicCoverage => ({ mean, ci: [0, high], questions });
  const both = (candidate: TopicCoverage, stable?: TopicCoverage, change?: TopicCoverage) =>
    aProbeReport({
      candidate: { topics: { billing: candidate } },
      stable: { topics: stable === undefined ? {} : { billing: stable } },
      paired: { ...CALM, coverageByTopic: change === undefined ? {} : { billing: change } },
    });
  const lost = topic(-0.3, 0.1);

  it("ST-3: misses its level under the floor by the mean, or by the upper bound, the limits themselves excepted", () => {
    const alone = (mean: number, high: number) => kinds(both(topic(mean, high)));
    expect(alone(0.5, 0.7)).toEqual(["coverage pass"]);
    expect(alone(0.49, 0.7)).toEqual(["coverage pass", "coverage[billing] fail"]);
    expect(alone(0.6, 0.69)).toEqual(["coverage pass", "coverage[billing] fail"]);
  });

  it("is told with its numbers, and compared where stable has it", () => {
    expect(judged(both(topic(0.4)))[1]).toMatchObject({
      estimate: 0.4,
      interval: [0, 1],
      threshold: 0.7,
      reason: "topic billing covers 0.40 of its gold on 9 questions, at least 0.7 is wanted",
    });
    expect(judged(both(topic(0.4), topic(0.8), lost))[1]?.reason).toContain("; stable covers 0.80");
  });

  it("ST-3: stops where stable has the level and the candidate lost any of it", () => {
    expect(kinds(both(topic(0.4), topic(0.7), lost))).toContain("coverage[billing] fail");
    expect(kinds(both(topic(0.4), topic(0.9), topic(0, 0.2)))).toEqual(["coverage pass"]);
    expect(kinds(both(topic(0.4), topic(0.9), topic(0.1, 0.2)))).toEqual(["coverage pass"]);
  });

  it("ST-3: where stable misses the level itself stops on a proven loss alone, and holds while stable is not as bad", () => {
    expect(kinds(both(topic(0.4), topic(0.69), topic(-0.3, -0.01)))).toContain("coverage[billing] fail");
    expect(judged(both(topic(0.4), topic(0.69), topic(-0.3, 0)))[1]).toMatchObject({
      kind: "inconclusive",
      needs: "more questions on this topic",
    });
    expect(kinds(both(topic(0.4), topic(0.69), topic(0, 0.1)))).toEqual(["coverage pass"]);
    expect(kinds(both(topic(0.4), topic(0.45), topic(-0.05, 0.1)))).toEqual(["coverage pass"]);
  });

  it("cannot be compared without a question that both arms answered, nor judged without any", () => {
    expect(judged(both(topic(0.4), topic(0.9), topic(0, 1, 0)))[1]).toMatchObject({
      kind: "inconclusive",
      needs: "runs that get an answer",
    });
    expect(judged(both(topic(0, 1, 0), topic(0.9), lost))[1]).toMatchObject({
      kind: "no-data",
      estimate: null,
      interval: null,
      reason: "no question of topic billing got an answer",
    });
    expect(kinds(both(topic(0.4), topic(0.9)))).toContain("coverage[billing] fail");
    expect(kinds(both(topic(0.4), undefined, lost))).toContain("coverage[billing] fail");
  });

  it("is told beside a failed level, a drop that is not excluded, and runs that decide nothing", () => {
    const topics = { billing: topic(0.4), refunds: topic(0, 1, 0) };
    const with_ = (candidate: Shown, paired = CALM) =>
      kinds(aProbeReport({ candidate: { ...candidate, topics }, paired }));
    expect(with_({}, changed(-0.2, -0.3, -0.1))).toEqual(["coverage fail", "coverage[billing] fail"]);
    expect(with_({}, changed(0, -0.3, 0.1))).toEqual([
      "coverage inconclusive",
      "coverage[billing] fail",
      "coverage[refunds] no-data",
    ]);
    expect(with_(SILENT)).toEqual(["coverage inconclusive", "coverage[billing] fail"]);
    expect(with_({ coverage: 0.5 })).toEqual([
      "coverage inconclusive",
      "coverage[billing] fail",
      "coverage[refunds] no-data",
    ]);
  });
});

describe("coverage, literal", () => {
  it("ST-3: reads the mean, at the limits too, and the mean of each topic that got an answer", () => {
    const at = (mean: number, topics = {}) => kinds(aProbeReport({ candidate: { coverage: mean, topics } }), LITERAL);
    expect([at(0.7), at(0.69), at(0.6), at(0.59)]).toEqual([
      ["coverage pass"],
      ["coverage inconclusive"],
      ["coverage inconclusive"],
      ["coverage fail"],
    ]);
    expect(at(0.8, { billing: 0.7, refunds: 0.69 })).toEqual(["coverage pass", "coverage[refunds] fail"]);
    expect(at(0.8, { billing: { mean: 0, ci: [0, 1], questions: 0 } })).toEqual(["coverage pass"]);
  });

  it("never stops on the placeholder of a set without answers, and still tells a topic that is lost", () => {
    const silent = { ...SILENT, measured: 0, coverage: 0, topics: { billing: 0.2 } };
    expect(kinds(aProbeReport({ candidate: silent }), LITERAL)).toEqual([
      "coverage inconclusive",
      "coverage[billing] fail",
    ]);
    expect(kinds(aProbeReport({ candidate: { ...silent, measured: 1 } }), LITERAL)[0]).toBe("coverage fail");
  });
});
