import { mean, meanOrNull } from "./aggregate.ts";
import { type GoldItem, sectionKey } from "./gold.ts";
import { flips, type LambdaRun, modalOutcome, type Outcome, questionState } from "./lambda.ts";
import type { LambdaState } from "./report.ts";
import type { MeasuredRun, RunMeasure } from "./run-measure.ts";

/** One question on one arm: its runs averaged. Null where no run could be measured; raw ΔS scale. */
export interface QuestionMeasure {
  readonly id: string;
  readonly topic: string;
  /** False: coverage, ΔS, ranks and citations are null, because there is nothing to find. */
  readonly isAnswerable: boolean;
  /** What questions are drawn together by: their first gold section. */
  readonly cluster: string;
  readonly runs: readonly RunMeasure[];
  readonly coverage: number | null;
  readonly deltaS: number | null;
  readonly best: number | null;
  readonly cited: number | null;
  readonly anchor: number | null;
  readonly byRank: readonly number[];
  readonly citationHit: number | null;
  readonly citationPrecision: number | null;
  readonly hit: number | null;
  readonly recall: number | null;
  readonly reciprocalRank: number | null;
  readonly ndcg: number | null;
  readonly state: LambdaState;
  readonly citeState: LambdaState;
  readonly flips: number;
  readonly modal: Outcome | null;
}

/** Runs of one question as λ sees them; `by` picks the outcome or the outcome of citations. */
export function lambdaRuns(
  runs: readonly RunMeasure[],
  by: "outcome" | "citeOutcome" = "outcome",
): readonly LambdaRun[] {
  return runs.map((run) => ({
    phrasing: run.phrasing,
    repetition: run.repetition,
    outcome: run.kind === "measured" ? run[by] : null,
    sections: run.kind === "measured" ? run.sections : new Set<string>(),
  }));
}

/** Averages the runs of a question. The question, not the run, is the unit of every statistic (definitions.md §2). */
export function measureQuestion(item: GoldItem, runs: readonly RunMeasure[]): QuestionMeasure {
  const measured = runs.filter((run): run is MeasuredRun => run.kind === "measured");
  const average = (value: (run: MeasuredRun) => number | null | undefined): number | null => {
    return meanOrNull(measured.flatMap((run) => value(run) ?? []));
  };
  const outcomes = lambdaRuns(runs);
  const [firstGold] = item.gold;
  return {
    id: item.id,
    topic: item.topic,
    isAnswerable: item.answerable,
    cluster: firstGold === undefined ? item.id : sectionKey(firstGold),
    runs,
    coverage: average((run) => run.coverage),
    deltaS: average((run) => run.deltaS?.weighted.value),
    best: average((run) => run.deltaS?.best),
    cited: average((run) => run.deltaS?.cited),
    anchor: average((run) => run.anchor),
    byRank: averageRanks(measured.flatMap(({ deltaS }) => (deltaS === null ? [] : [deltaS.byRank]))),
    citationHit: average((run) => run.rank?.citationHit),
    citationPrecision: average((run) => run.rank?.citationPrecision),
    hit: average((run) => run.rank?.hit),
    recall: average((run) => run.rank?.recall),
    reciprocalRank: average((run) => run.rank?.reciprocalRank),
    ndcg: average((run) => run.rank?.ndcg),
    state: questionState(outcomes),
    citeState: questionState(lambdaRuns(runs, "citeOutcome")),
    flips: flips(outcomes),
    modal: modalOutcome(outcomes),
  };
}

/** Mean by rank over lists of different length. */
export function averageRanks(lists: readonly (readonly number[])[]): readonly number[] {
  const longest = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, rank) => mean(lists.flatMap((list) => list[rank] ?? [])));
}
