import type { LambdaState } from "./report.ts";
import { jaccard } from "./tokenizer.ts";

/** Version of the metric. @source definitions.md, head */
export const LAMBDA = "lambda/1";

/** Constants of the state rules. @source definitions.md §5 */
const VALID_MIN = 4;
const REFUSED_MIN = 2;
const MOST = 5 / 6;
const MOST_OF_REPETITION = 2 / 3;
const JACCARD_MIN = 0.4;
/** Shares such as 5/6 are compared with room for rounding. */
const ROUNDING = 1e-9;

/** How a valid run ended. The order breaks ties of the modal outcome. */
const OUTCOMES = ["right", "wrong", "refused"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** One run of a question as λ sees it. Failed runs are left out by the caller's list or by a null outcome. */
export interface LambdaRun {
  /** 0-based place in the item's phrasings. */
  readonly phrasing: number;
  readonly repetition: number;
  /** Null: the run failed or its answer broke the contract; λ leaves it out. */
  readonly outcome: Outcome | null;
  /** Section keys of the first k passages. */
  readonly sections: ReadonlySet<string>;
}

type ValidRun = LambdaRun & { readonly outcome: Outcome };

/**
 * Outcome of a run: a refusal answers an unanswerable question rightly and an answerable one not at all; so does an
 * answer without a single citation. Otherwise the evidence decides.
 * @source definitions.md §5
 */
export function runOutcome(run: {
  readonly isAnswerable: boolean;
  readonly isRefused: boolean;
  readonly hasCitations: boolean;
  /** Gold evidence in the first k passages; for `lambda_cite`, whether the first cited section is gold. */
  readonly hasEvidence: boolean;
}): Outcome {
  if (!run.isAnswerable) return run.isRefused ? "right" : "wrong";
  if (run.isRefused || !run.hasCitations) return "refused";
  return run.hasEvidence ? "right" : "wrong";
}

/**
 * State of a question over its runs; the first rule that matches wins: unknown, ×, ←, →, =, <>.
 * @source definitions.md §5
 */
export function questionState(runs: readonly LambdaRun[]): LambdaState {
  const valid = validRuns(runs);
  if (valid.length < VALID_MIN) return "unknown";
  const count = (outcome: Outcome): number => valid.filter((run) => run.outcome === outcome).length;
  const isMost = (outcome: Outcome): boolean => count(outcome) / valid.length >= MOST - ROUNDING;
  if (OUTCOMES.every((outcome) => 2 * count(outcome) < valid.length)) return "×";
  if (count("refused") >= REFUSED_MIN) return "←";
  if (isMost("right") && isRightInEachRepetition(valid) && medoidJaccard(valid) >= JACCARD_MIN - ROUNDING) return "→";
  return isMost("wrong") ? "=" : "<>";
}

function validRuns(runs: readonly LambdaRun[]): readonly ValidRun[] {
  return runs.filter((run): run is ValidRun => run.outcome !== null);
}

function isRightInEachRepetition(runs: readonly ValidRun[]): boolean {
  return [...new Set(runs.map(({ repetition }) => repetition))].every((repetition) => {
    const mine = runs.filter((run) => run.repetition === repetition);
    const right = mine.filter(({ outcome }) => outcome === "right").length;
    return right / mine.length >= MOST_OF_REPETITION - ROUNDING;
  });
}

/**
 * Mean Jaccard of the runs' section sets with the medoid: the run that is most like all others. The medoid counts as
 * one of the runs.
 */
function medoidJaccard(runs: readonly Pick<LambdaRun, "sections">[]): number {
  const means = runs.map(({ sections }) => {
    return runs.reduce((sum, other) => sum + jaccard(sections, other.sections), 0) / runs.length;
  });
  return Math.max(...means);
}

/** The most frequent outcome of the valid runs; ties go to right, then wrong. Null without a valid run. */
export function modalOutcome(runs: readonly LambdaRun[]): Outcome | null {
  const valid = validRuns(runs);
  if (valid.length === 0) return null;
  const counts = OUTCOMES.map((outcome) => valid.filter((run) => run.outcome === outcome).length);
  return OUTCOMES[counts.indexOf(Math.max(...counts))] ?? null;
}

/**
 * Phrasings whose most frequent outcome over the repetitions differs from the question's modal outcome; a tie is a
 * flip. A phrasing without a valid run does not flip.
 * @source definitions.md §5
 */
export function flips(runs: readonly LambdaRun[]): number {
  const modal = modalOutcome(runs);
  const valid = validRuns(runs);
  return [...new Set(valid.map(({ phrasing }) => phrasing))].filter((phrasing) => {
    const mine = valid.filter((run) => run.phrasing === phrasing);
    const count = (outcome: Outcome): number => mine.filter((run) => run.outcome === outcome).length;
    return OUTCOMES.some((outcome) => outcome !== modal && count(outcome) >= count(modal as Outcome));
  }).length;
}

/**
 * Pairs of runs of the same phrasing and repetition whose outcomes differ between the arms, of all pairs valid on both.
 * @source definitions.md §5, arm flip
 */
export function armFlips(
  stable: readonly LambdaRun[],
  candidate: readonly LambdaRun[],
): { readonly flips: number; readonly pairs: number } {
  const place = ({ phrasing, repetition }: LambdaRun): string => `${phrasing}/${repetition}`;
  const stableAt = new Map(validRuns(stable).map((run) => [place(run), run.outcome]));
  const pairs = validRuns(candidate).filter((run) => stableAt.has(place(run)));
  return { flips: pairs.filter((run) => stableAt.get(place(run)) !== run.outcome).length, pairs: pairs.length };
}
