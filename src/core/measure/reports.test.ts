import { describe, expect, it } from "vitest";
import { armReport, type SummaryRules } from "./arm-report.ts";
import { detectableDrops, discordantQuestions, pairedReport } from "./paired-report.ts";
import { measureQuestion, type QuestionMeasure } from "./question-measure.ts";
import type { MeasuredRun, RunMeasure } from "./run-measure.ts";

const rules: SummaryRules = { level: "L1", calibration: null, embedder: "test", seed: 3 };
const RANK = { hit: 1, recall: 1, reciprocalRank: 1, ndcg: 1, citationHit: 1, citationPrecision: 1 };

interface Shape {
  readonly coverage?: number;
  readonly deltaS?: number;
  readonly outcome?: MeasuredRun["outcome"];
  readonly topic?: string;
  readonly section?: string;
  /** Places of failed runs among the six. */
  readonly failed?: readonly number[];
}

function aQuestion(id: string, shape: Shape = {}): QuestionMeasure {
  const { coverage = 1, deltaS = 0.4, outcome = "right", topic = "t", section = id, failed = [] } = shape;
  const runs = Array.from({ length: 6 }, (_, index): RunMeasure => {
    const place = { phrasing: index % 3, repetition: Math.floor(index / 3) };
    if (failed.includes(index)) return { ...place, kind: "error", errorClass: "headers|5xx|503", excerpt: null };
    const distance = { weighted: { value: deltaS, flag: null }, best: deltaS, cited: null, byRank: [deltaS] };
    const sections = new Set(["a"]);
    return {
      ...place,
      kind: "measured",
      outcome,
      citeOutcome: outcome,
      sections,
      coverage,
      rank: RANK,
      deltaS: distance,
      anchor: 0.2,
    };
  });
  const item = { id, topic, phrasings: ["a", "b", "c"], answerable: true, claims: [], decoy: null };
  return measureQuestion({ ...item, gold: [{ doc: "d", section, start: null, end: null, rev: null }] }, runs);
}
const many = (count: number, shape: (index: number) => Shape) =>
  Array.from({ length: count }, (_, i) => aQuestion(`q${i}`, shape(i)));

describe("armReport", () => {
  it("averages runs to questions before anything else: failed runs neither count as 0 nor weigh", () => {
    const report = armReport(
      [aQuestion("a", { coverage: 1, failed: [0, 1, 2, 3, 4] }), aQuestion("b", { coverage: 0.5 })],
      rules,
    );
    expect(report.coverage.estimate).toBe(0.75);
    expect([report.runs, report.errors, report.errorClasses]).toEqual([12, 5, { "headers|5xx|503": 5 }]);
    expect(report.lambda.states).toMatchObject({ "→": 1, unknown: 1 });
    expect(report.lambda.convergentShare).toBe(1);
  });

  it("gives median, p95 and the share of questions at 0.60 or more", () => {
    const { deltaS } = armReport(
      many(10, (i) => ({ deltaS: i / 10 })),
      rules,
    );
    expect(deltaS.median).toBeCloseTo(0.45, 12);
    expect(deltaS.p95).toBeCloseTo(0.855, 12);
    expect(deltaS.shareRisk).toBe(0.4);
  });

  it("judges topics of 10 questions by themselves and pools the smaller ones", () => {
    const questions = many(30, (i) => ({ topic: i < 10 ? "big" : `small${i % 3}`, coverage: i < 10 ? 0.4 : 1 }));
    const { byTopic, estimate } = armReport(questions, rules).coverage;
    expect(Object.keys(byTopic)).toEqual(["big", "pooled"]);
    expect(byTopic["big"]).toMatchObject({ mean: 0.4, questions: 10 });
    expect(byTopic["pooled"]).toMatchObject({ mean: 1, questions: 20 });
    expect(estimate).toBeCloseTo(0.8, 12);
  });

  it("widens a topic's bounds with the number of topics, so that all may be judged at once", () => {
    const spread = (i: number) => (i % 2 === 0 ? 0.2 : 1);
    const one = armReport(
      many(10, (i) => ({ topic: "a", coverage: spread(i) })),
      rules,
    ).coverage.byTopic["a"];
    const six = armReport(
      many(60, (i) => ({ topic: "abcdef"[Math.floor(i / 10)] as string, coverage: spread(i) })),
      rules,
    ).coverage.byTopic["a"];
    expect(six?.mean).toBe(one?.mean);
    expect(six?.ci[1]).toBeGreaterThan(one?.ci[1] ?? 1);
    expect(six?.ci[0]).toBeLessThan(one?.ci[0] ?? 0);
  });

  it("draws questions on one section together: eight copies of a question tell no more than one", () => {
    const apart = armReport(
      many(40, (i) => ({ coverage: i % 2 })),
      rules,
    ).coverage.ci;
    const together = armReport(
      many(40, (i) => ({ coverage: Math.floor(i / 8) % 2, section: `s${Math.floor(i / 8)}` })),
      rules,
    ).coverage.ci;
    expect(together[1] - together[0]).toBeGreaterThan(1.5 * (apart[1] - apart[0]));
  });
});

describe("pairedReport", () => {
  const stable = many(20, () => ({}));

  it("is candidate - stable by question: positive drift and negative coverage are worse", () => {
    const candidate = many(20, (i) => ({ coverage: i < 5 ? 0 : 1, deltaS: 0.5, outcome: i < 5 ? "wrong" : "right" }));
    const pairs = stable.map((question, i) => ({ stable: question, candidate: candidate[i] as QuestionMeasure }));
    const paired = pairedReport(pairs, rules);
    expect(paired.coverage.estimate).toBe(-0.25);
    expect(paired.coverage.ci[0]).toBeLessThan(-0.25);
    expect(paired.coverage.ci[1]).toBeLessThan(0);
    expect(paired.deltaS.median).toBeCloseTo(0.1, 12);
    expect(paired.convergentShare.estimate).toBe(-0.25);
    expect([paired.right, paired.armFlipRate]).toEqual([{ lost: 5, gained: 0 }, 0.25]);
    expect(discordantQuestions(pairs).map(({ id }) => id)).toEqual(["q0", "q1", "q2", "q3", "q4"]);
  });

  it("scales drift by the slope of the calibration", () => {
    const calibration = { mGold: 0.4, mDecoy: 0.6, auc: 1, usable: true, reason: null };
    const pairs = stable.map((question) => ({ stable: question, candidate: aQuestion(question.id, { deltaS: 0.44 }) }));
    expect(pairedReport(pairs, { ...rules, calibration }).deltaS.estimate).toBeCloseTo(0.1, 12);
  });

  it("counts runs that failed on one arm alone, and leaves out questions that one arm never answered", () => {
    const candidate = [
      aQuestion("q0", { failed: [0, 1] }),
      aQuestion("q1", { failed: [0, 1, 2, 3, 4, 5], coverage: 0 }),
    ];
    const pairs = [
      { stable: aQuestion("q0", { failed: [1] }), candidate: candidate[0] as QuestionMeasure },
      { stable: aQuestion("q1"), candidate: candidate[1] as QuestionMeasure },
    ];
    const paired = pairedReport(pairs, rules);
    expect(paired.errorsOnly).toEqual({ stable: 0, candidate: 7 });
    expect(paired.coverage.estimate).toBe(0);
    expect(paired.coverage.ci).toEqual([-1, 1]);
  });

  it("says what it could have seen: 2.486·sd/√n, and for equal arms the share missed with chance 0.2", () => {
    const equal = stable.map((question) => ({ stable: question, candidate: question }));
    expect(detectableDrops(equal, [], rules)["coverage"]).toBeCloseTo(1 - 0.2 ** (1 / 20), 12);
    const candidate = many(20, (i) => ({ coverage: i % 2 }));
    const pairs = stable.map((question, i) => ({ stable: question, candidate: candidate[i] as QuestionMeasure }));
    const deviation = Math.sqrt((20 * 0.25) / 19);
    expect(detectableDrops(pairs, [], rules)["coverage"]).toBeCloseTo((2.4865 * deviation) / Math.sqrt(20), 3);
  });
});
