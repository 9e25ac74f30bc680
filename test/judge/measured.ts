import { armReport, type SummaryRules } from "../../src/core/measure/arm-report.ts";
import { detectableDrops, discordantQuestions, pairedReport } from "../../src/core/measure/paired-report.ts";
import { measureQuestion, type QuestionMeasure } from "../../src/core/measure/question-measure.ts";
import type { ProbeReport } from "../../src/core/measure/report.ts";
import type { RunMeasure } from "../../src/core/measure/run-measure.ts";
import { aProbeReport } from "../probe-report.ts";

/** What the runs of one arm are like: everything else is measured by the product itself. */
export interface MeasuredArm {
  /** Coverage of every answer. */
  readonly coverage?: number;
  readonly deltaS?: number;
  /** Share of the questions that are answered right in every run; the others are wrong in every run. */
  readonly convergent?: number;
  /** Questions of which one phrasing is answered otherwise than the two others. */
  readonly flipping?: number;
}

const QUESTIONS = 50;
const RULES: SummaryRules = { level: "L1", calibration: null, embedder: "test", seed: 5 };
const RANK = { hit: 1, recall: 1, reciprocalRank: 1, ndcg: 1, citationHit: 1, citationPrecision: 1 };

function questionsOf(arm: MeasuredArm): readonly QuestionMeasure[] {
  const { coverage = 0.9, deltaS = 0.4, convergent = 1, flipping = 0 } = arm;
  return Array.from({ length: QUESTIONS }, (_, number) => {
    const runs = Array.from({ length: 6 }, (_, index): RunMeasure => {
      const phrasing = index % 3;
      const isOdd = number < flipping && phrasing === 2;
      const outcome = number < convergent * QUESTIONS && !isOdd ? "right" : "wrong";
      return {
        phrasing,
        repetition: Math.floor(index / 3),
        kind: "measured",
        outcome,
        citeOutcome: outcome,
        sections: new Set(["s"]),
        coverage,
        rank: RANK,
        deltaS: { weighted: { value: deltaS, flag: null }, best: deltaS, cited: null, byRank: [deltaS] },
        anchor: 0.2,
      };
    });
    const gold = [{ doc: "d", section: `s${number}`, start: null, end: null, rev: null }];
    const item = {
      id: `q${number}`,
      topic: "t",
      phrasings: ["a", "b", "c"],
      answerable: true,
      claims: [],
      decoy: null,
    };
    return measureQuestion({ ...item, gold }, runs);
  });
}

/** A report as the product measures it on such runs of both arms. */
export function measuredReport(stable: MeasuredArm, candidate: MeasuredArm): ProbeReport {
  const [before, now] = [questionsOf(stable), questionsOf(candidate)];
  const pairs = before.flatMap((question, index) => {
    const other = now[index];
    return other === undefined ? [] : [{ stable: question, candidate: other }];
  });
  return {
    ...aProbeReport(),
    questions: QUESTIONS,
    arms: { stable: armReport(before, RULES), candidate: armReport(now, RULES) },
    paired: pairedReport(pairs, RULES),
    detectableDrop: detectableDrops(pairs, now, RULES),
    discordant: discordantQuestions(pairs),
  };
}
