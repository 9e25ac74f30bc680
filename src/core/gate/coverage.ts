import type { ProbeReport, TopicCoverage } from "../measure/report.ts";
import type { Verdict } from "../verdict.ts";
import type { ProbeGate, StageView } from "./gate.ts";
import { boundAt, type CoverageOptions } from "./options.ts";
import { probeVerdict, undecidable } from "./probe-verdict.ts";

const NAME = "coverage";
const shown = (value: number) => value.toFixed(2);

/** One-sided 95 % bounds hold for one topic; Holm's first step divides the error rate by the number of topics. */
function isTopicHarmed(topic: TopicCoverage, stable: TopicCoverage | undefined, options: CoverageOptions): boolean {
  const isBelowFloor = topic.mean < options.topicFloor;
  const isBelowLevel = topic.ci[1] < options.topicLevel;
  // A topic that stable misses too is the gold set's or the corpus's problem, not the candidate's.
  return (isBelowFloor || isBelowLevel) && (stable === undefined || topic.mean < stable.mean);
}

function judgeTopics(report: ProbeReport, options: CoverageOptions): readonly Verdict[] {
  const { stable, candidate } = report.arms;
  return Object.entries(candidate.coverage.byTopic).flatMap(([name, topic]) => {
    if (!isTopicHarmed(topic, stable?.coverage.byTopic[name], options)) return [];
    const reason = `topic ${name} covers ${shown(topic.mean)} of its gold on ${topic.questions} questions, at least ${options.topicLevel} is wanted`;
    const finding = { estimate: topic.mean, interval: topic.ci, threshold: options.topicLevel, reason };
    return [probeVerdict(report, `${NAME}[${name}]`, "fail", finding)];
  });
}

function judgeLevel(report: ProbeReport, options: CoverageOptions): Verdict | null {
  const { stable, candidate } = report.arms;
  const { estimate, ci } = candidate.coverage;
  if (ci[1] >= options.stop || (stable !== null && stable.coverage.estimate < options.stop)) return null;
  const reason = `coverage ${shown(estimate)}, at most ${shown(ci[1])}: below ${options.stop}`;
  return probeVerdict(report, NAME, "fail", { estimate, interval: ci, threshold: options.stop, reason });
}

function judgeDrop(report: ProbeReport, stage: StageView, options: CoverageOptions): Verdict | null {
  if (report.paired === null) return null;
  const { estimate, ci } = report.paired.coverage;
  const margin = boundAt(options.dropMargin, stage.candidateBp);
  const found = `coverage changed by ${shown(estimate)} (${shown(ci[0])}..${shown(ci[1])}) against stable`;
  if (ci[1] < -options.dropStop) {
    const reason = `${found}: a drop beyond ${options.dropStop} is proven`;
    return probeVerdict(report, NAME, "fail", { estimate, interval: ci, threshold: -options.dropStop, reason });
  }
  if (ci[0] >= -margin) return null;
  const seen = report.detectableDrop["coverage"];
  const needs = `more questions${seen === undefined ? "" : `; this set sees drops of ${shown(seen)}`}`;
  const reason = `${found}: a drop of ${margin} is not excluded`;
  return probeVerdict(report, NAME, "inconclusive", { estimate, interval: ci, threshold: -margin, reason, needs });
}

/**
 * Coverage of the gold sections: level, paired drop, and level by topic.
 * @source definitions.md §4; decision-policy.md "Margins" (GQ-6, GQ-7, GQ-8, ST-3)
 */
export const coverage: ProbeGate<CoverageOptions> = {
  kind: "probe",
  name: NAME,
  decide(report, stage, options): readonly Verdict[] {
    const topics = judgeTopics(report, options);
    const drop = judgeDrop(report, stage, options);
    const failed = judgeLevel(report, options) ?? (drop?.kind === "fail" ? drop : null);
    if (failed !== null) return [failed, ...topics];
    const blocked = undecidable(report, NAME) ?? drop;
    if (blocked !== null) return [blocked, ...topics];
    const { estimate, ci } = report.arms.candidate.coverage;
    const finding = { estimate, interval: ci, threshold: options.level };
    if (estimate >= options.level) {
      const reason = `coverage ${shown(estimate)}, at least ${options.level} is wanted`;
      return [probeVerdict(report, NAME, "pass", { ...finding, reason }), ...topics];
    }
    const reason = `coverage ${shown(estimate)} is under ${options.level}, but not proven to be under ${options.stop}`;
    return [
      probeVerdict(report, NAME, "inconclusive", { ...finding, reason, needs: "a person, or more questions" }),
      ...topics,
    ];
  },
};
