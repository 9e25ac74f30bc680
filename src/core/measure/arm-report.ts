import { mean, median, quantile, share } from "./aggregate.ts";
import { type Calibration, calibrated } from "./calibration.ts";
import { meanInterval, type QuestionValue } from "./intervals.ts";
import { averageRanks, type QuestionMeasure } from "./question-measure.ts";
import type { ArmReport, CoverageLevel, DeltaSReport, LambdaState, ProbeFailure } from "./report.ts";
import { topicCoverage } from "./topic-coverage.ts";

/** Limits that the definitions give as part of a metric. @source definitions.md §3, §4 */
const RISK = 0.6;
const LOW_COVERAGE = 0.7;

/** How questions are summarised; the same for both arms. */
export interface SummaryRules {
  readonly level: CoverageLevel;
  /** Null: ΔS stays on the raw scale. */
  readonly calibration: Calibration | null;
  /** EVAL_EMBED_VER of the judge. */
  readonly embedder: string;
  readonly seed: number;
}

/** The numbers that exist, as questions to be redrawn. */
export function valuesOf(
  questions: readonly QuestionMeasure[],
  value: (question: QuestionMeasure) => number | null,
): readonly QuestionValue[] {
  return questions.flatMap((question) => {
    const number = value(question);
    return number === null ? [] : [{ topic: question.topic, cluster: question.cluster, value: number }];
  });
}

function numbersOf(
  questions: readonly QuestionMeasure[],
  value: (question: QuestionMeasure) => number | null,
): readonly number[] {
  return valuesOf(questions, value).map((entry) => entry.value);
}

/** Summary of one arm over its questions. */
export function armReport(questions: readonly QuestionMeasure[], rules: SummaryRules): ArmReport {
  const runs = questions.flatMap((question) => question.runs);
  const errorClasses: Record<string, number> = {};
  for (const run of runs) {
    if (run.kind === "error") errorClasses[run.errorClass] = (errorClasses[run.errorClass] ?? 0) + 1;
  }
  const coverage = numbersOf(questions, (question) => question.coverage);
  const anchors = numbersOf(questions, (question) => question.anchor);
  const average = (value: (question: QuestionMeasure) => number | null): number => {
    const numbers = numbersOf(questions, value);
    return numbers.length === 0 ? 0 : mean(numbers);
  };
  return {
    runs: runs.length,
    errors: runs.filter(({ kind }) => kind === "error").length,
    errorClasses,
    schemaViolations: runs.filter(({ kind }) => kind === "schema-violation").length,
    failures: commonestFailures(questions),
    measuredQuestions: coverage.length,
    deltaS: summariseDeltaS(questions, rules),
    deltaSAnchor: anchors.length === 0 ? null : { median: median(anchors), p95: quantile(anchors, 0.95) },
    coverage: {
      ...meanInterval(
        valuesOf(questions, (question) => question.coverage),
        [0, 1],
        rules.seed,
      ),
      level: rules.level,
      shareLow: share(coverage, (value) => value < LOW_COVERAGE),
      byTopic: topicCoverage(questions),
    },
    lambda: summariseLambda(questions),
    citationHit: average((question) => question.citationHit),
    citationPrecision: average((question) => question.citationPrecision),
    hitAtK: average((question) => question.hit),
    recallAtK: average((question) => question.recall),
    mrr: average((question) => question.reciprocalRank),
    ndcgAtK: average((question) => question.ndcg),
  };
}

/** Ways of failing that a report keeps. */
const FAILURES_MAX = 5;

function commonestFailures(questions: readonly QuestionMeasure[]): readonly ProbeFailure[] {
  const failures = new Map<string, ProbeFailure>();
  for (const { id, runs } of questions) {
    for (const run of runs) {
      if (run.kind === "measured") continue;
      const what = run.kind === "error" ? run.errorClass : run.detail;
      const key = `${run.kind} ${what}`;
      const first = failures.get(key) ?? { kind: run.kind, what, runs: 0, question: id, excerpt: run.excerpt };
      failures.set(key, { ...first, runs: first.runs + 1 });
    }
  }
  return [...failures.values()].sort((a, b) => b.runs - a.runs).slice(0, FAILURES_MAX);
}

function summariseDeltaS(questions: readonly QuestionMeasure[], rules: SummaryRules): DeltaSReport {
  const { calibration, embedder } = rules;
  const scaled = (raw: number): number => (calibration === null ? raw : calibrated(raw, calibration));
  const list = (value: (question: QuestionMeasure) => number | null): readonly number[] => {
    return numbersOf(questions, value).map(scaled);
  };
  const values = list((question) => question.deltaS);
  const best = list((question) => question.best);
  const cited = list((question) => question.cited);
  const flags = questions.flatMap(({ runs }) =>
    runs.flatMap((run) => (run.kind === "measured" ? [run.deltaS?.weighted.flag ?? null] : [])),
  );
  return {
    median: values.length === 0 ? 1 : median(values),
    p95: values.length === 0 ? 1 : quantile(values, 0.95),
    shareRisk: values.length === 0 ? 1 : share(values, (value) => value >= RISK),
    scale: calibration === null ? "raw" : "calibrated",
    embedder,
    best: best.length === 0 ? 1 : median(best),
    cited: cited.length === 0 ? null : median(cited),
    byRank: averageRanks(questions.map(({ byRank }) => byRank)).map(scaled),
    emptyRuns: flags.filter((flag) => flag === "empty").length,
    degenerateRuns: flags.filter((flag) => flag === "degenerate").length,
  };
}

function summariseLambda(questions: readonly QuestionMeasure[]): ArmReport["lambda"] {
  const states: Record<LambdaState, number> = { "→": 0, "=": 0, "<>": 0, "←": 0, "×": 0, unknown: 0 };
  for (const { state } of questions) states[state]++;
  const known = questions.filter(({ state }) => state !== "unknown");
  const phrasings = known.map(({ runs }) => new Set(runs.map(({ phrasing }) => phrasing)).size);
  const flipped = known.map(({ flips }) => flips);
  return {
    convergentShare: share(known, ({ state }) => state === "→"),
    flipRate: known.length === 0 ? 0 : mean(flipped) / mean(phrasings),
    maxFlipsPerQuestion: Math.max(0, ...flipped),
    states,
    citeConvergentShare: share(known, ({ citeState }) => citeState === "→"),
  };
}
