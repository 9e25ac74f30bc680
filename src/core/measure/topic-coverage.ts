import { judgedTopics } from "./coverage.ts";
import { ALPHA, meanInterval } from "./intervals.ts";
import type { QuestionMeasure } from "./question-measure.ts";
import type { TopicCoverage } from "./report.ts";

/**
 * Mean and bounds of each judged topic. The topics follow from the answerable questions alone, so that both arms and
 * their difference have the same ones whatever failed. Bounds share the error rate between the topics (Bonferroni, which
 * is Holm's first step): the chance that any of them misses is at most 0.05 on each side.
 * @param valueOf what is averaged; null where it was not measured
 * @param bounds range of the value
 * @source definitions.md §4, "Topic rule"
 */
export function topicCoverage<Q extends Pick<QuestionMeasure, "topic" | "cluster" | "isAnswerable">>(
  questions: readonly Q[],
  valueOf: (question: Q) => number | null,
  bounds: readonly [low: number, high: number],
  seed: number,
): Readonly<Record<string, TopicCoverage>> {
  const asked = questions.filter(({ isAnswerable }) => isAnswerable);
  const { byQuestion } = judgedTopics(asked.map(({ topic }) => topic));
  const topics = [...new Set(byQuestion)].filter((topic) => topic !== null).sort();
  return Object.fromEntries(
    topics.map((judged) => {
      const values = asked.flatMap((question, index) => {
        const value = byQuestion[index] === judged ? valueOf(question) : null;
        return value === null ? [] : [{ topic: question.topic, cluster: question.cluster, value }];
      });
      const { estimate, ci } = meanInterval(values, bounds, seed, ALPHA / topics.length);
      return [judged, { mean: estimate, ci, questions: values.length }];
    }),
  );
}
