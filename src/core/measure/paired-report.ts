import { minimumDetectableDrop } from "../stats/power.ts";
import { deviation, mean, median, quantile } from "./aggregate.ts";
import { type SummaryRules, valuesOf } from "./arm-report.ts";
import { meanInterval, type QuestionValue } from "./intervals.ts";
import { armFlips } from "./lambda.ts";
import { lambdaRuns, type QuestionMeasure } from "./question-measure.ts";
import type { DiscordantQuestion, PairedReport } from "./report.ts";
import { topicChanges } from "./topic-coverage.ts";

/** Power of the detectable drop. @source statistics.md "Probe sets" */
const POWER = 0.8;

/** One question on both arms. */
interface Pair {
  readonly stable: QuestionMeasure;
  readonly candidate: QuestionMeasure;
}

type Measure = (question: QuestionMeasure) => number | null;

const convergent: Measure = ({ state }) => (state === "unknown" ? null : Number(state === "→"));
const flipShare: Measure = ({ state, flips, runs }) => {
  return state === "unknown" ? null : flips / new Set(runs.map(({ phrasing }) => phrasing)).size;
};

/** Differences candidate - stable of the questions measured on both arms. */
function differences(pairs: readonly Pair[], measure: Measure): readonly QuestionValue[] {
  return pairs.flatMap(({ stable, candidate }) => {
    const [before, now] = [measure(stable), measure(candidate)];
    return before === null || now === null
      ? []
      : [{ topic: stable.topic, cluster: stable.cluster, value: now - before }];
  });
}

/** Raw ΔS differences become calibrated ones by the slope of the line. */
function deltaSDifferences(pairs: readonly Pair[], { calibration }: SummaryRules): readonly QuestionValue[] {
  const slope = calibration === null ? 1 : 0.5 / (calibration.mDecoy - calibration.mGold);
  return differences(pairs, ({ deltaS }) => (deltaS === null ? null : deltaS * slope));
}

/**
 * Both arms question by question.
 * @param stable and candidate: the same questions in the same order
 * @source definitions.md §3, §5; statistics.md "Probe sets"
 */
export function pairedReport(pairs: readonly Pair[], rules: SummaryRules): PairedReport {
  const { seed } = rules;
  const interval = (measure: Measure) => meanInterval(differences(pairs, measure), [-1, 1], seed);
  const drift = deltaSDifferences(pairs, rules);
  const drifts = drift.map(({ value }) => value);
  const flipped = pairs.map(({ stable, candidate }) => armFlips(lambdaRuns(stable.runs), lambdaRuns(candidate.runs)));
  const runPairs = flipped.reduce((sum, { pairs: count }) => sum + count, 0);
  const isLost = ({ stable, candidate }: Pair) => stable.modal === "right" && candidate.modal !== "right";
  return {
    coverage: interval(({ coverage }) => coverage),
    coverageByTopic: topicChanges(pairs),
    deltaS: {
      ...meanInterval(drift, [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER], seed),
      median: drifts.length === 0 ? 0 : median(drifts),
      p95: drifts.length === 0 ? 0 : quantile(drifts, 0.95),
    },
    flipRate: interval(flipShare),
    convergentShare: interval(convergent),
    citationHit: interval(({ citationHit }) => citationHit),
    ndcgAtK: interval(({ ndcg }) => ndcg),
    armFlipRate: runPairs === 0 ? 0 : flipped.reduce((sum, { flips }) => sum + flips, 0) / runPairs,
    right: {
      lost: pairs.filter((pair) => isLost(pair) && pair.candidate.modal !== null).length,
      gained: pairs.filter(({ stable, candidate }) => {
        return isLost({ stable: candidate, candidate: stable }) && stable.modal !== null;
      }).length,
    },
    errorsOnly: errorsOnly(pairs),
  };
}

function errorsOnly(pairs: readonly Pair[]): PairedReport["errorsOnly"] {
  const counts = { stable: 0, candidate: 0 };
  for (const { stable, candidate } of pairs) {
    const failed = (question: QuestionMeasure) => {
      return new Set(
        question.runs.filter(({ kind }) => kind === "error").map((run) => `${run.phrasing}/${run.repetition}`),
      );
    };
    const [before, now] = [failed(stable), failed(candidate)];
    counts.stable += [...before].filter((place) => !now.has(place)).length;
    counts.candidate += [...now].filter((place) => !before.has(place)).length;
  }
  return counts;
}

/**
 * The smallest drop each metric would have shown with power 0.8, from the spread of the paired differences, or of the
 * values themselves when there is one arm. For metrics within 0..1 at least the share of wholly lost questions of which
 * one is in the set with probability 0.8, because equal arms have no spread. A metric without a measured question is
 * left out.
 */
export function detectableDrops(
  pairs: readonly Pair[],
  single: readonly QuestionMeasure[],
  rules: SummaryRules,
): Readonly<Record<string, number>> {
  const measures: Readonly<Record<string, Measure>> = {
    coverage: ({ coverage }) => coverage,
    flipRate: flipShare,
    convergentShare: convergent,
    citationHit: ({ citationHit }) => citationHit,
    ndcgAtK: ({ ndcg }) => ndcg,
  };
  const drop = (values: readonly QuestionValue[], least: (questions: number) => number): readonly number[] => {
    const numbers = values.map(({ value }) => value);
    if (numbers.length === 0) return [];
    return [Math.max(least(numbers.length), minimumDetectableDrop(deviation(numbers), numbers.length))];
  };
  const seenOnce = (questions: number): number => 1 - (1 - POWER) ** (1 / questions);
  const drops = Object.entries(measures).flatMap(([name, measure]) => {
    const values = pairs.length > 0 ? differences(pairs, measure) : valuesOf(single, measure);
    return drop(values, seenOnce).map((seen) => [name, seen] as const);
  });
  const drift = drop(deltaSDifferences(pairs, rules), () => 0).map((seen) => ["deltaS", seen] as const);
  return Object.fromEntries([...drops, ...drift]);
}

/** Questions that end differently on the arms or cover their gold differently, worst loss first. */
export function discordantQuestions(pairs: readonly Pair[]): readonly DiscordantQuestion[] {
  return pairs
    .filter(({ stable, candidate }) => {
      const moved = Math.abs((candidate.coverage ?? 0) - (stable.coverage ?? 0)) > 1e-9;
      return stable.state !== candidate.state || stable.modal !== candidate.modal || moved;
    })
    .map(({ stable, candidate }) => ({
      id: stable.id,
      topic: stable.topic,
      stable: stable.coverage ?? rightShare(stable),
      candidate: candidate.coverage ?? rightShare(candidate),
      states: { stable: stable.state, candidate: candidate.state },
    }))
    .sort((a, b) => a.candidate - a.stable - (b.candidate - b.stable) || (a.id < b.id ? -1 : 1));
}

/** What stands for coverage where there is no gold: the share of runs that ended right. */
function rightShare({ runs }: QuestionMeasure): number {
  return runs.length === 0 ? 0 : mean(runs.map((run) => Number(run.kind === "measured" && run.outcome === "right")));
}
