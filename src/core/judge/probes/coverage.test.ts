import { describe, expect, it } from "vitest";
import { gateLabel } from "../setting.ts";
import { type OptionsOfGate, probeVerdictsOf } from "../../../../test/verdict-of.ts";
import { armReport, type SummaryRules } from "../../measure/arm-report.ts";
import { pairedReport } from "../../measure/paired-report.ts";
import { measureQuestion, type QuestionMeasure } from "../../measure/question-measure.ts";
import type { ProbeReport } from "../../measure/report.ts";
import type { RunMeasure } from "../../measure/run-measure.ts";
import { topicChanges, topicCoverage } from "../../measure/topic-coverage.ts";
import { randomStream } from "../../stats/random.ts";
import { bp } from "../../unit.ts";
import type { Verdict } from "../../verdict.ts";
import { coverage } from "./coverage.ts";

const RUNS = 6;
const RULES: SummaryRules = { level: "L1", calibration: null, embedder: "test", seed: 11 };
const STAGE = { kind: "probes", candidateBp: bp(0), heldMs: 0, holdMs: 0 } as const;
type CoverageOptions = OptionsOfGate<typeof coverage>;
const OPTIONS: CoverageOptions = {
  mode: "sequential",
  level: 0.7,
  stop: 0.6,
  dropMargin: { under10: 1, under50: 1, from50: 1 },
  dropStop: 1,
  topicLevel: 0.7,
  topicFloor: 0.5,
};

/** Coverage of each run of a question; null for a run that failed. */
type Runs = readonly (number | null)[];

function aQuestion(id: string, topic: string, coverages: Runs, answerable = true): QuestionMeasure {
  const runs = coverages.map((value, index): RunMeasure => {
    const place = { phrasing: index % 3, repetition: Math.floor(index / 3) };
    if (value === null) return { ...place, kind: "error", errorClass: "headers|5xx|503", excerpt: null };
    const measured = { kind: "measured", outcome: "right", citeOutcome: "right", sections: new Set(["s"]) } as const;
    return { ...place, ...measured, coverage: answerable ? value : null, rank: null, deltaS: null, anchor: null };
  });
  const gold = answerable ? [{ doc: "d", section: id, start: null, end: null, rev: null }] : [];
  return measureQuestion({ id, topic, phrasings: ["a", "b", "c"], answerable, claims: [], decoy: null, gold }, runs);
}

const flat = (value: number | null): Runs => Array<number | null>(RUNS).fill(value);

/** Questions of one topic, one coverage each; null for a question whose runs all failed. */
function aTopic(topic: string, coverages: readonly (number | null)[]): readonly QuestionMeasure[] {
  return coverages.map((value, index) => aQuestion(`${topic}-${index}`, topic, flat(value)));
}

const full = (topic: string, count = 190) => aTopic(topic, Array<number>(count).fill(1));

function reportOf(stable: readonly QuestionMeasure[] | null, candidate: readonly QuestionMeasure[]): ProbeReport {
  const pairs = (stable ?? []).map((question, i) => ({ stable: question, candidate: candidate[i] as QuestionMeasure }));
  return {
    tier: "full",
    questions: candidate.length,
    repeats: 2,
    k: 10,
    versions: { deltaS: "test", coverage: "test", lambda: "test", tokenizer: "test" },
    goldDigest: "test",
    seed: 1,
    arms: { stable: stable === null ? null : armReport(stable, RULES), candidate: armReport(candidate, RULES) },
    paired: stable === null ? null : pairedReport(pairs, RULES),
    detectableDrop: {},
    discordant: [],
    gold: { sections: 1, unseen: { stable: null, candidate: { count: 0, first: [] } } },
    calibration: { mGold: 0, mDecoy: 1, auc: 1, usable: true, reason: null },
    selfTest: "fired",
    invalidItems: [],
    pooledTopics: [],
  };
}

const decide = (stable: readonly QuestionMeasure[] | null, candidate: readonly QuestionMeasure[]): readonly Verdict[] =>
  probeVerdictsOf(coverage, OPTIONS, reportOf(stable, candidate), STAGE);
const named = (verdicts: readonly Verdict[], gate: string) =>
  verdicts.find((verdict) => gateLabel(verdict) === gate)?.kind;

describe("coverage of a topic", () => {
  const lost = Array<number>(10).fill(0.1);

  it("fails a topic of 10 questions at 0.1 although one question never got an answer (ST-3)", () => {
    const [rest, stable] = [full("rest"), aTopic("billing", Array<number>(10).fill(0.9))];
    const candidate = aTopic("billing", [null, ...lost.slice(1)]);
    expect(named(decide([...rest, ...stable], [...rest, ...candidate]), "coverage[billing]")).toBe("fail");
    expect(named(decide(null, [...rest, ...candidate]), "coverage[billing]")).toBe("fail");
  });

  it("pools a topic by its answerable questions: 9 of them and 5 unanswerable ones make no topic", () => {
    const refusals = Array.from({ length: 5 }, (_, i) => aQuestion(`none-${i}`, "billing", flat(0), false));
    const { byTopic } = armReport([...full("rest"), ...aTopic("billing", lost.slice(1)), ...refusals], RULES).coverage;
    expect(Object.keys(byTopic)).toEqual(["rest"]);
  });

  it("asks both arms about the same topics, whichever questions failed where", () => {
    const [stable, candidate] = [
      [...aTopic("a", [null, ...lost.slice(1)]), ...aTopic("b", lost)],
      [...aTopic("a", lost), ...aTopic("b", [null, null, ...lost.slice(2)])],
    ];
    const { arms, paired } = reportOf(stable, candidate);
    expect(Object.keys(arms.stable?.coverage.byTopic ?? {})).toEqual(["a", "b"]);
    expect(Object.keys(arms.candidate.coverage.byTopic)).toEqual(["a", "b"]);
    expect(Object.keys(paired?.coverageByTopic ?? {})).toEqual(["a", "b"]);
  });

  it("never fails an equal candidate: not on a bad topic, and not when other questions failed on each arm", () => {
    const levels = [0, 0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1];
    const rest = full("rest", 490);
    for (const [before, now] of [
      [[], []],
      [[0], []],
      [[], [9]],
      [[9], [0, 1]],
      [
        [0, 1, 2, 3, 4],
        [5, 6, 7, 8, 9],
      ],
    ] as const) {
      const without = (failed: readonly number[]) =>
        aTopic(
          "bad",
          levels.map((level, i) => (failed.includes(i) ? null : level)),
        );
      const verdicts = decide([...rest, ...without(before)], [...rest, ...without(now)]);
      expect(verdicts.map(({ kind }) => kind)).not.toContain("fail");
    }
  });

  it("fails a topic that stable misses too only when the drop on it is proven", () => {
    const rest = full("rest");
    const bad = aTopic("bad", [0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4]);
    const hardlyWorse = aTopic("bad", [0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.3]);
    const muchWorse = aTopic("bad", [0.1, 0, 0.1, 0, 0.1, 0, 0.1, 0, 0.1, 0]);
    expect(named(decide([...rest, ...bad], [...rest, ...hardlyWorse]), "coverage[bad]")).toBeUndefined();
    expect(named(decide([...rest, ...bad], [...rest, ...muchWorse]), "coverage[bad]")).toBe("fail");
  });

  it("holds on a topic of which nothing was answered, and on one that has no reference", () => {
    const rest = full("rest", 490);
    const [good, low] = [aTopic("a", Array<number>(10).fill(1)), aTopic("a", lost)];
    const none = aTopic("a", Array<null>(10).fill(null));
    expect(named(decide([...rest, ...good], [...rest, ...none]), "coverage[a]")).toBe("no-data");
    expect(named(decide([...rest, ...none], [...rest, ...low]), "coverage[a]")).toBe("inconclusive");
    expect(named(decide([...rest, ...none], [...rest, ...good]), "coverage[a]")).toBeUndefined();
  });
});

describe("ten topics of ten questions", () => {
  const TRIALS = 400;
  const TOPICS = 10;
  const base = reportOf(full("a", 10), full("a", 10));
  const sample = aQuestion("sample", "a", flat(1));

  /** Questions with a chance of a covered run each: 0 or 1 for spread 1, else drawn towards `level`. */
  function arms(level: number, spread: number, random: () => number) {
    const questions = Array.from({ length: TOPICS * 10 }, (_, i) => {
      const drawn = random() < level ? 1 : 0;
      return { id: `q${i}`, topic: `topic-${i % TOPICS}`, chance: spread * drawn + (1 - spread) * level };
    });
    const ask = () =>
      questions.map(({ id, topic, chance }): QuestionMeasure => {
        const covered = Array.from({ length: RUNS }, () => Number(random() < chance));
        return { ...sample, id, topic, cluster: id, coverage: covered.reduce((sum, run) => sum + run, 0) / RUNS };
      });
    return { stable: ask(), candidate: ask() };
  }

  /** Topics that fail; the rest of the report is sound. */
  function stoppedTopics(stable: readonly QuestionMeasure[] | null, candidate: readonly QuestionMeasure[]) {
    const withTopics = (questions: readonly QuestionMeasure[]) => {
      const { coverage: whole, ...arm } = base.arms.candidate;
      return { ...arm, coverage: { ...whole, byTopic: topicCoverage(questions) } };
    };
    const pairs = (stable ?? []).map((one, i) => ({ stable: one, candidate: candidate[i] as QuestionMeasure }));
    const paired = base.paired === null ? null : { ...base.paired, coverageByTopic: topicChanges(pairs) };
    const report: ProbeReport = {
      ...base,
      arms: { stable: stable === null ? null : withTopics(stable), candidate: withTopics(candidate) },
      paired: stable === null ? null : paired,
    };
    const verdicts = probeVerdictsOf(coverage, OPTIONS, report, STAGE);
    return verdicts.filter(({ kind }) => kind === "fail").map(gateLabel);
  }

  it.each([
    ["never varies", 1],
    ["varies from run to run", 0.5],
  ])("stop a candidate of coverage 0.85 by chance in at most 5 of 100 cases when it %s", (_, spread) => {
    const random = randomStream(20_240_601);
    let [alone, paired] = [0, 0];
    for (let trial = 0; trial < TRIALS; trial++) {
      const { stable, candidate } = arms(0.85, spread, random);
      alone += Number(stoppedTopics(null, candidate).length > 0);
      paired += Number(stoppedTopics(stable, candidate).length > 0);
    }
    expect(alone / TRIALS).toBeLessThanOrEqual(0.05);
    expect(paired / TRIALS).toBeLessThanOrEqual(0.05);
  });

  it.each([0.5, 0.6, 0.7, 0.8])(
    "stop one like a stable of coverage %d by chance in at most 5 of 100 cases",
    (level) => {
      const random = randomStream(99);
      let stopped = 0;
      for (let trial = 0; trial < TRIALS; trial++) {
        const { stable, candidate } = arms(level, 0.5, random);
        stopped += Number(stoppedTopics(stable, candidate).length > 0);
      }
      expect(stopped / TRIALS).toBeLessThanOrEqual(0.05);
    },
  );

  it("stop one that lost a whole topic in at least 95 of 100 cases", () => {
    const random = randomStream(7);
    let stopped = 0;
    for (let trial = 0; trial < TRIALS; trial++) {
      const { stable, candidate } = arms(0.85, 1, random);
      const harmed = candidate.map((question) => {
        return question.topic === "topic-3" ? { ...question, coverage: 0 } : question;
      });
      stopped += Number(stoppedTopics(stable, harmed).includes("coverage[topic-3]"));
    }
    expect(stopped / TRIALS).toBeGreaterThanOrEqual(0.95);
  });
});
