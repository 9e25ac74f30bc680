import { type Calibration, notCalibratable } from "../core/measure/calibration.ts";
import { armReport, type SummaryRules } from "../core/measure/arm-report.ts";
import { itemReports } from "../core/measure/item-report.ts";
import { COVERAGE, judgedTopics } from "../core/measure/coverage.ts";
import { DELTA_S } from "../core/measure/delta-s.ts";
import type { GoldItem } from "../core/measure/gold.ts";
import { LAMBDA } from "../core/measure/lambda.ts";
import { detectableDrops, discordantQuestions, pairedReport } from "../core/measure/paired-report.ts";
import type { QuestionMeasure } from "../core/measure/question-measure.ts";
import type { ProbeReport } from "../core/measure/report.ts";
import type { MeasureRules } from "../core/measure/run-measure.ts";
import { alignTo } from "../core/measure/shingle-coverage.ts";
import { TOKENIZER } from "../core/measure/tokenizer.ts";
import type { Clock } from "../ports/clock.ts";
import type { Embedder } from "../ports/embedder.ts";
import type { ProbeRunStore } from "../ports/probe-run-store.ts";
import { type Anchors, answerAnchors, corpusAnchors } from "./anchors.ts";
import { type Answers, collectAnswers, goldSections, unseenGold } from "./answers.ts";
import { calibrateJudge, chooseDecoys } from "./calibrate.ts";
import type { CorpusSection } from "./corpus.ts";
import { coverageLevel } from "./coverage-level.ts";
import { seedOf } from "./digest.ts";
import type { GoldSet } from "./gold-set.ts";
import { invalidItems } from "./invalid-items.ts";
import { createJudge, type Judge } from "./judge.ts";
import { type CalibrationLock, lockedCalibration, staleReason } from "./lock.ts";
import { type MeasuredArms, measureAnswers } from "./measure-answers.ts";
import { runProbeTasks } from "./runner.ts";
import { decoySelfTest } from "./self-test.ts";
import type { Fetch, ProbeTarget } from "./target.ts";
import { itemsOfTier, type Tier } from "./tier.ts";

/** How far a probe has come; `done` of `total` requests while asking, of questions while judging. */
interface ProbeProgress {
  readonly phase: "asking" | "judging";
  readonly done: number;
  readonly total: number;
}

export interface ProbeOptions {
  /** Absent or null: only the candidate is asked, and nothing is paired. */
  readonly stable?: ProbeTarget | null;
  readonly candidate: ProbeTarget;
  readonly gold: GoldSet;
  readonly tier: Tier;
  readonly k: number;
  readonly repeats: number;
  /** Makes the judge, fitted on the corpus or on what the answers show; a judge that needs no fit ignores the texts. */
  readonly embedder: (texts: readonly string[]) => Embedder;
  readonly corpus?: readonly CorpusSection[] | null;
  /** An earlier calibration; used while gold set and embedder are the same. */
  readonly lock?: CalibrationLock | null;
  /** `raw` keeps plain cosine distances. */
  readonly scale?: "calibrated" | "raw";
  /** Context budget of the service in tokens; gold longer than it counts as this much. */
  readonly contextTokens?: number;
  readonly clock: Clock;
  readonly fetch: Fetch;
  readonly signal: AbortSignal;
  /** Requests a second over both arms; null for no limit. */
  readonly requestsPerSecond: number | null;
  readonly concurrency: number;
  /** Longest time for one answer. */
  readonly timeoutMs: number;
  readonly seed: number;
  readonly store?: ProbeRunStore | null;
  onProgress?(progress: ProbeProgress): void;
}

/**
 * Asks the gold set of both arms, measures the answers and reports. Every run is counted; failed ones are values of
 * the report. Rejects when the signal aborts, the store fails, or the embedder does (DriverError); with a store a
 * second call goes on where this one stopped.
 */
export async function runProbes(options: ProbeOptions): Promise<ProbeReport> {
  const { gold, tier, seed, corpus = null } = options;
  const known = corpus === null ? null : corpusAnchors(corpus);
  const invalidBefore = known === null ? new Set<string>() : invalidItems(gold.items, known);
  const valid = gold.items.filter(({ id }) => !invalidBefore.has(id));
  const items = itemsOfTier(valid, tier, seed);
  const answers = await askAll(items, options);
  const anchors = known ?? anchorsOfAnswers(answers, options);
  const invalidAfter = known === null ? invalidItems(items, anchors) : new Set<string>();
  const judge = createJudge(options.embedder(fitTexts(items, anchors, corpus)));
  const scope = known === null ? items.filter(({ id }) => !invalidAfter.has(id)) : valid;
  return judgeAnswers(
    items,
    answers,
    { ...options, anchors, judge, scope },
    [...invalidBefore, ...invalidAfter].sort(),
  );
}

async function askAll(items: readonly GoldItem[], options: ProbeOptions): Promise<Answers> {
  const { stable = null, candidate, store = null, repeats, onProgress } = options;
  const answers = collectAnswers();
  const phrasings = items.reduce((sum, item) => sum + item.phrasings.length, 0);
  const total = phrasings * repeats * (stable === null ? 1 : 2);
  let done = 0;
  await runProbeTasks({ ...options, targets: { stable, candidate }, items, store }, (task, result) => {
    answers.add(task, result);
    done++;
    onProgress?.({ phase: "asking", done, total });
  });
  return answers;
}

/** Stable's answers are the reference; a target asked alone can only be compared with itself. */
function anchorsOfAnswers(answers: Answers, { stable = null }: ProbeOptions): Anchors {
  const candidate = answers.passages("candidate");
  return answerAnchors(stable === null ? candidate : answers.passages("stable"), candidate);
}

function fitTexts(
  items: readonly GoldItem[],
  anchors: Anchors,
  corpus: readonly CorpusSection[] | null,
): readonly string[] {
  if (corpus !== null) return corpus.map(({ text }) => text);
  const keys = new Set(items.flatMap(({ gold }) => gold.map(({ doc, section }) => `${doc}\u0000${section}`)));
  return [...keys].flatMap((key) => anchors.text(key) ?? []);
}

interface Judged extends ProbeOptions {
  readonly anchors: Anchors;
  readonly judge: Judge;
  /** Items to calibrate on: all there are, so that smoke and full share one scale. */
  readonly scope: readonly GoldItem[];
}

async function judgeAnswers(
  asked: readonly GoldItem[],
  answers: Answers,
  options: Judged,
  invalid: readonly string[],
): Promise<ProbeReport> {
  const { gold, seed, anchors, judge, scope, stable = null, clock, signal, scale, onProgress } = options;
  const decoys = chooseDecoys(scope, anchors, seed);
  const calibration = await calibrationOf(decoys, options);
  const left = new Set(invalid);
  const items = asked.flatMap((item, index) => (left.has(item.id) ? [] : [{ item, index }]));
  const rules: MeasureRules = {
    k: options.k,
    level: coverageLevel(
      items.map(({ item }) => item),
      [...answers.passages("stable"), ...answers.passages("candidate")],
      anchors,
    ),
    tokensOf: anchors.tokens,
    alignment: alignTo(anchors.alignedText),
    contextTokens: options.contextTokens ?? Number.POSITIVE_INFINITY,
  };
  const tools = { judge, anchors, rules, clock, signal };
  const measured = await measureAnswers(
    items.map(({ item, index }) => ({
      item,
      runs: {
        stable: stable === null ? null : answers.runs("stable", index),
        candidate: answers.runs("candidate", index),
      },
    })),
    { ...tools, onQuestion: (done) => onProgress?.({ phase: "judging", done, total: items.length }) },
  );
  const onScale = calibration.usable && scale !== "raw" ? calibration : null;
  const questions = items.map(({ item }) => item);
  const selfTest = await decoySelfTest(questions, decoys, onScale, tools);
  const summary: SummaryRules = {
    level: rules.level,
    calibration: onScale,
    embedder: judge.id,
    seed: seedOf(`${gold.digest}/${seed}`),
  };
  return {
    tier: options.tier,
    questions: questions.length,
    repeats: options.repeats,
    k: options.k,
    versions: { deltaS: DELTA_S, coverage: COVERAGE, lambda: LAMBDA, tokenizer: TOKENIZER },
    goldDigest: gold.digest,
    seed,
    ...summarise(measured, stable !== null, summary),
    gold: goldReport(questions, answers, stable !== null),
    calibration,
    selfTest,
    invalidItems: invalid,
    pooledTopics: judgedTopics(questions.filter(({ answerable }) => answerable).map(({ topic }) => topic)).pooled,
  };
}

function goldReport(items: readonly GoldItem[], answers: Answers, isPaired: boolean): ProbeReport["gold"] {
  const unseen = {
    stable: isPaired ? unseenGold(items, answers.passages("stable")) : null,
    candidate: unseenGold(items, answers.passages("candidate")),
  };
  return { sections: goldSections(items).size, unseen };
}

function summarise(
  { stable, candidate }: MeasuredArms,
  isPaired: boolean,
  rules: SummaryRules,
): Pick<ProbeReport, "arms" | "paired" | "detectableDrop" | "discordant" | "items"> {
  const pairs = stable.map((question, index) => {
    return { stable: question, candidate: candidate[index] as QuestionMeasure };
  });
  return {
    arms: { stable: isPaired ? armReport(stable, rules) : null, candidate: armReport(candidate, rules) },
    paired: isPaired ? pairedReport(pairs, rules) : null,
    detectableDrop: detectableDrops(pairs, candidate, rules),
    discordant: discordantQuestions(pairs),
    items: itemReports(stable, candidate, rules),
  };
}

/** The lock's calibration while it holds, else a fresh one. */
async function calibrationOf(decoys: ReturnType<typeof chooseDecoys>, options: Judged): Promise<Calibration> {
  const { lock = null, gold, judge, scope, anchors, signal } = options;
  if (lock !== null && staleReason(lock, gold.digest, judge.id) === null) return lockedCalibration(lock);
  if (decoys.size === 0) return notCalibratable("no question has a decoy: the set needs sections of two topics");
  return calibrateJudge(scope, anchors, decoys, judge, signal);
}
