import { judgedTopics } from "./coverage.ts";
import { ALPHA, fewInterval } from "./intervals.ts";
import type { QuestionMeasure } from "./question-measure.ts";
import type { TopicCoverage } from "./report.ts";

type ByTopic = Readonly<Record<string, TopicCoverage>>;

interface TopicValue extends Pick<QuestionMeasure, "topic" | "cluster" | "isAnswerable"> {
  /** Null where it was not measured. */
  readonly value: number | null;
}

/** Coverage of one arm on each topic that is judged by itself. @source definitions.md §4, "Topic rule" */
export function topicCoverage(questions: readonly QuestionMeasure[]): ByTopic {
  return summariseTopics(
    questions.map(({ topic, cluster, isAnswerable, coverage }) => ({ topic, cluster, isAnswerable, value: coverage })),
    [0, 1],
  );
}

/** Change of coverage, candidate - stable, on the questions of each topic that both arms answered. */
export function topicChanges(
  pairs: readonly { readonly stable: QuestionMeasure; readonly candidate: QuestionMeasure }[],
): ByTopic {
  const changes = pairs.map(({ stable, candidate }) => {
    const { topic, cluster, isAnswerable } = stable;
    const isMeasured = stable.coverage !== null && candidate.coverage !== null;
    return { topic, cluster, isAnswerable, value: isMeasured ? candidate.coverage - stable.coverage : null };
  });
  return summariseTopics(changes, [-1, 1]);
}

/**
 * Mean and bounds by judged topic. Which topics there are follows from the answerable questions alone, so that both
 * arms and their difference have the same ones whatever failed. Topics share the error rate (Bonferroni, Holm's first
 * step): the chance that a bound of any of them misses is at most 0.05 on each side.
 */
function summariseTopics(values: readonly TopicValue[], bounds: readonly [low: number, high: number]): ByTopic {
  const asked = values.filter(({ isAnswerable }) => isAnswerable);
  const { byQuestion } = judgedTopics(asked.map(({ topic }) => topic));
  const topics = [...new Set(byQuestion)].filter((topic) => topic !== null).sort();
  return Object.fromEntries(
    topics.map((judged) => {
      const measured = asked.flatMap(({ topic, cluster, value }, index) => {
        return value === null || byQuestion[index] !== judged ? [] : [{ topic, cluster, value }];
      });
      const { estimate, ci } = fewInterval(measured, bounds, ALPHA / topics.length);
      return [judged, { mean: estimate, ci, questions: measured.length }];
    }),
  );
}
