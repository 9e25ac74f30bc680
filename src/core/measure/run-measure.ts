import { coverageByOffsets, type SectionTokens } from "./coverage.ts";
import { type Distance, deltaSOfRun, type RunDeltaS } from "./delta-s.ts";
import { type GoldItem, type GoldSpan, isEvidence, type Passage, type ProbeAnswer, sectionKey } from "./gold.ts";
import { type Outcome, runOutcome } from "./lambda.ts";
import { type RankMeasure, rankMeasure } from "./rank.ts";
import type { CoverageLevel } from "./report.ts";
import { type Alignment, coverageByText } from "./shingle-coverage.ts";

/** Which run of a question: 0-based phrasing and repetition. */
export interface RunPlace {
  readonly phrasing: number;
  readonly repetition: number;
}

/** A run with a usable answer, reduced to numbers: texts are let go. Metrics of unanswerable questions are null. */
export interface MeasuredRun extends RunPlace {
  readonly kind: "measured";
  readonly outcome: Outcome;
  /** The same test on "first cited section is gold". */
  readonly citeOutcome: Outcome;
  /** Section keys of the first k passages. */
  readonly sections: ReadonlySet<string>;
  readonly coverage: number | null;
  readonly rank: RankMeasure | null;
  /** Raw scale. */
  readonly deltaS: RunDeltaS | null;
  /** Raw distance of the closest chunk to the gold section; null when its text is unknown or nothing was returned. */
  readonly anchor: number | null;
}

/** A run without a usable answer, with the beginning of what came instead; null when nothing came. */
export type FailedRun = RunPlace & { readonly excerpt: string | null } & (
    | { readonly kind: "error"; readonly errorClass: string }
    | { readonly kind: "schema-violation"; readonly detail: string }
  );

export type RunMeasure = MeasuredRun | FailedRun;

/** How runs are measured; the same for both arms. */
export interface MeasureRules {
  readonly k: number;
  readonly level: CoverageLevel;
  /** Tokens that offsets are counted in (L1). */
  readonly tokensOf: SectionTokens;
  /** Sections that texts without offsets are found in (L2). */
  readonly alignment: Alignment;
  /** Context budget in tokens; infinite when the service has none. */
  readonly contextTokens: number;
}

/** Distances of a run, from the judge embedder. */
export interface RunDistances {
  /** Question to each of the first k passages, best rank first. */
  readonly question: readonly Distance[];
  /** Closest passage to a gold section; null when no gold text is known or nothing was returned. */
  readonly anchor: number | null;
}

/** Measures one answer. @source definitions.md §§3-5 */
export function measureRun(
  item: GoldItem,
  place: RunPlace,
  answer: ProbeAnswer,
  distances: RunDistances,
  rules: MeasureRules,
): MeasuredRun {
  const passages = answer.retrieved.slice(0, rules.k);
  const [firstCited] = answer.citations;
  const basis = {
    isAnswerable: item.answerable,
    isRefused: answer.refused,
    hasCitations: answer.citations.length > 0,
  };
  const goldKeys = new Set(item.gold.map(sectionKey));
  const shared = {
    ...place,
    kind: "measured" as const,
    outcome: runOutcome({ ...basis, hasEvidence: passages.some((passage) => isEvidence(passage, item.gold)) }),
    citeOutcome: runOutcome({
      ...basis,
      hasEvidence: firstCited !== undefined && goldKeys.has(sectionKey(firstCited)),
    }),
    sections: new Set(passages.map(sectionKey)),
  };
  if (!item.answerable) return { ...shared, coverage: null, rank: null, deltaS: null, anchor: null };
  const cited = new Set(answer.citations.map(sectionKey));
  const rank = rankMeasure(answer, item.gold, rules.k);
  return {
    ...shared,
    rank,
    coverage: coverageAtLevel(item.gold, passages, rank.recall, rules),
    deltaS: deltaSOfRun(distances.question, (place) => {
      const passage = passages[place];
      return passage !== undefined && cited.has(sectionKey(passage));
    }),
    anchor: distances.anchor,
  };
}

/** @param recall share of the gold sections among the first k passages, which is what level L3 knows */
function coverageAtLevel(
  gold: readonly GoldSpan[],
  passages: readonly Passage[],
  recall: number,
  { level, tokensOf, alignment, contextTokens }: MeasureRules,
): number | null {
  if (level === "L1") return coverageByOffsets(gold, passages, tokensOf, contextTokens);
  return level === "L2" ? coverageByText(gold, passages, alignment, contextTokens) : recall;
}
