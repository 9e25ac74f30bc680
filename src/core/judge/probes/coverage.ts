import type { ProbeReport, TopicCoverage } from "../../measure/report.ts";
import type { Verdict } from "../../verdict.ts";
import type { StageView } from "../block.ts";
import { defineGate } from "../definition.ts";
import { boundAt, byShare, MODE, number, type OptionsOf, SHARE } from "../fields.ts";
import { RETRIEVAL } from "./advice.ts";
import { unseenClause } from "./probe-trouble.ts";
import { besideLimit, goldVerdict, ROUNDING, undecidable } from "./probe-verdict.ts";

const NAME = "coverage";
const TOPIC_LOW = "coverage_topic_low";

const OPTIONS = {
  mode: MODE,
  level: number(SHARE, { says: "the mean coverage the candidate must reach", fallback: 0.7, stricter: "higher" }),
  stop: number(SHARE, {
    says: "the mean coverage that stops when even the interval's upper bound is below it",
    fallback: 0.6,
    stricter: "higher",
  }),
  dropMargin: byShare(SHARE, {
    says: "the paired drop that must be excluded before promotion",
    fallback: { under10: 0.1, under50: 0.05, from50: 0.05 },
    stricter: "lower",
  }),
  dropStop: number(SHARE, { says: "the paired drop that stops when proven", fallback: 0.05, stricter: "lower" }),
  topicLevel: number(SHARE, {
    says: "the coverage under which a topic stops when its upper bound is below it",
    fallback: 0.7,
    stricter: "higher",
  }),
  topicFloor: number(SHARE, {
    says: "the coverage under which a topic stops by its estimate alone",
    fallback: 0.5,
    stricter: "higher",
  }),
};

/** How coverage is read. */
type CoverageOptions = OptionsOf<typeof OPTIONS>;

const shown = (value: number) => value.toFixed(2);

/**
 * The level is missed: proven to be missed, or by the estimate alone when it is under the floor. Asked only of topics
 * that got an answer.
 */
function isMissed(topic: TopicCoverage, options: CoverageOptions): boolean {
  return topic.mean < options.topicFloor || topic.ci[1] < options.topicLevel;
}

/**
 * A topic on which stable has the wanted level stops a candidate that misses it. One that stable has trouble with too
 * stops only a proven loss on the questions both answered, because else the runs' own scatter about the limit would;
 * while stable is not as bad, it holds. Bounds hold for all topics together. Null: nothing to say of this topic.
 */
function judgeTopic(report: ProbeReport, name: string, topic: TopicCoverage, options: CoverageOptions): Verdict | null {
  const stable = report.arms.stable?.coverage.byTopic[name];
  const change = report.paired?.coverageByTopic[name];
  const verdict = (kind: "fail" | "inconclusive" | "no-data", reason: string, needs: string | null) => {
    const measured = topic.questions > 0 ? { estimate: topic.mean, interval: topic.ci } : { estimate: null };
    return goldVerdict(report, NAME, kind, {
      ...measured,
      topic: name,
      condition: TOPIC_LOW,
      threshold: options.topicLevel,
      reason,
      needs,
    });
  };
  if (topic.questions === 0) {
    return verdict("no-data", `no question of topic ${name} got an answer`, "runs that get an answer");
  }
  if (!isMissed(topic, options)) return null;
  const found = `topic ${name} covers ${shown(topic.mean)} of its gold on ${topic.questions} questions, at least ${options.topicLevel} is wanted`;
  if (stable === undefined || change === undefined) return verdict("fail", found, null);
  if (change.questions === 0) {
    return verdict("inconclusive", `${found}; no question of it was answered on both arms`, "runs that get an answer");
  }
  const compared = `${found}; stable covers ${shown(stable.mean)}`;
  const isLost = stable.mean >= options.topicLevel ? change.mean < 0 : change.ci[1] < 0;
  if (isLost) return verdict("fail", compared, null);
  if (isMissed(stable, options) || change.mean >= 0) return null;
  return verdict("inconclusive", `${compared}; a loss is not proven`, "more questions on this topic");
}

function judgeTopics(report: ProbeReport, options: CoverageOptions): readonly Verdict[] {
  return Object.entries(report.arms.candidate.coverage.byTopic).flatMap(([name, topic]) => {
    return judgeTopic(report, name, topic, options) ?? [];
  });
}

function judgeLevel(report: ProbeReport, options: CoverageOptions): Verdict | null {
  const { stable, candidate } = report.arms;
  const { estimate, ci } = candidate.coverage;
  if (ci[1] >= options.stop || (stable !== null && stable.coverage.estimate < options.stop)) return null;
  const reason = `coverage ${shown(estimate)} (${shown(ci[0])}..${shown(ci[1])}): proven to be below ${options.stop}`;
  return goldVerdict(report, NAME, "fail", { estimate, interval: ci, threshold: options.stop, reason });
}

function judgeDrop(report: ProbeReport, stage: StageView, options: CoverageOptions): Verdict | null {
  if (report.paired === null) return null;
  const { estimate, ci } = report.paired.coverage;
  const margin = boundAt(options.dropMargin, stage.candidateBp);
  const found = `coverage changed by ${shown(estimate)} (${shown(ci[0])}..${shown(ci[1])}) against stable`;
  if (ci[1] < -options.dropStop) {
    const reason = `${found}: a drop beyond ${options.dropStop} is proven`;
    return goldVerdict(report, NAME, "fail", { estimate, interval: ci, threshold: -options.dropStop, reason });
  }
  if (ci[0] >= -margin) return null;
  const seen = report.detectableDrop["coverage"];
  const needs = `more questions${seen === undefined ? "" : `; this set sees drops of ${shown(seen)}`}`;
  const reason = `${found}: a drop of ${margin} is not excluded`;
  return goldVerdict(report, NAME, "inconclusive", { estimate, interval: ci, threshold: -margin, reason, needs });
}

/** How much less the candidate covers than stable, on all its questions or on those both answered; 0 without stable. */
function literalDrop({ arms: { stable, candidate }, paired }: ProbeReport): number {
  if (stable === null) return 0;
  return Math.max(stable.coverage.estimate - candidate.coverage.estimate, -(paired?.coverage.estimate ?? 0));
}

/**
 * The page's reading: the mean and each topic's mean as they are, however few questions stand behind them, and no less
 * than stable's beyond the margin (GQ-7).
 */
function decideLiteral(report: ProbeReport, stage: StageView, options: CoverageOptions): readonly Verdict[] {
  const { estimate, ci, byTopic } = report.arms.candidate.coverage;
  const topics = Object.entries(byTopic).flatMap(([name, topic]) => {
    if (topic.questions === 0 || topic.mean >= options.topicLevel) return [];
    const reason = `topic ${name} covers ${shown(topic.mean)} of its gold on ${topic.questions} questions, under ${options.topicLevel}`;
    const finding = { estimate: topic.mean, interval: topic.ci, threshold: options.topicLevel, reason };
    return [goldVerdict(report, NAME, "fail", { ...finding, topic: name, condition: TOPIC_LOW })];
  });
  const found = `coverage ${shown(estimate)}`;
  const finding = { estimate, interval: ci, threshold: options.level };
  const undecided = undecidable(report, NAME);
  if (report.arms.candidate.measuredQuestions > 0 && estimate < options.stop) {
    const reason = `${found}: under ${options.stop}`;
    return [goldVerdict(report, NAME, "fail", { ...finding, threshold: options.stop, reason }), ...topics];
  }
  if (undecided !== null) return [undecided, ...topics];
  const [drop, margin] = [literalDrop(report), boundAt(options.dropMargin, stage.candidateBp)];
  if (estimate >= options.level && drop > margin + ROUNDING) {
    const reason = `${found}, ${shown(drop)} less than stable: at most ${margin} less is wanted`;
    const lost = { ...finding, threshold: -margin, reason, needs: "a person, or more questions" };
    return [goldVerdict(report, NAME, "inconclusive", lost), ...topics];
  }
  const isEnough = estimate >= options.level;
  const reason = `${found}, at least ${options.level} is wanted`;
  const needs = isEnough ? null : "a person, or more questions";
  return [goldVerdict(report, NAME, isEnough ? "pass" : "inconclusive", { ...finding, reason, needs }), ...topics];
}

/** What the set could have shown: where all questions end alike an interval has no width, however few they are. */
function seenClause({ detectableDrop, arms }: ProbeReport): string {
  const seen = detectableDrop["coverage"];
  const { measuredQuestions: questions } = arms.candidate;
  return seen === undefined ? "" : `; with ${questions} questions drops from ${shown(seen)} on show`;
}

function judge(report: ProbeReport, stage: StageView, options: CoverageOptions): readonly Verdict[] {
  if (options.mode === "literal") return decideLiteral(report, stage, options);
  const topics = judgeTopics(report, options);
  const failedTopics = topics.filter(({ kind }) => kind === "fail");
  const drop = judgeDrop(report, stage, options);
  const failed = judgeLevel(report, options) ?? (drop?.kind === "fail" ? drop : null);
  if (failed !== null) return [failed, ...failedTopics];
  const undecided = undecidable(report, NAME);
  if (undecided !== null) return [undecided, ...failedTopics];
  if (drop !== null) return [drop, ...topics];
  const { estimate, ci } = report.arms.candidate.coverage;
  const finding = { estimate, interval: ci, threshold: options.level };
  if (estimate >= options.level) {
    const reason = `coverage ${shown(estimate)}, at least ${options.level} is wanted${seenClause(report)}`;
    return [goldVerdict(report, NAME, "pass", { ...finding, reason }), ...topics];
  }
  const stable = report.arms.stable?.coverage.estimate;
  const beside = stable === undefined ? "" : `; on stable it is ${shown(stable)}`;
  const found = `coverage ${besideLimit(estimate, options.level)} is under ${options.level}, but not proven to be under ${options.stop}`;
  const reason = `${found}${beside}${unseenClause(report)}`;
  return [
    goldVerdict(report, NAME, "inconclusive", { ...finding, reason, needs: "a person, or more questions" }),
    ...topics,
  ];
}

/**
 * Coverage of the gold sections: level, paired drop, and level by topic.
 * @source definitions.md §4; decision-policy.md "Margins" (GQ-6, GQ-7, GQ-8, ST-3)
 */
export const coverage = defineGate({
  name: NAME,
  reads: "probe",
  counts: "questions",
  says: "Does the candidate find the sections that hold the answers, on every topic, as well as stable?",
  unit: "share of the gold sections found",
  from: "probes",
  options: OPTIONS,
  conditions: {
    coverage_low: { means: "no longer finds enough of the sections that hold the answers", lookAt: RETRIEVAL },
    [TOPIC_LOW]: { means: "has lost a topic", lookAt: `${RETRIEVAL} Start with the sections of that topic.` },
  },
  probe: judge,
});
