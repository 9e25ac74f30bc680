import { type GoldSpan, isSameRevision, type Passage, type SectionRef, sectionKey } from "./gold.ts";

/** Ranking and citation metrics of one run of an answerable question, each 0..1. */
export interface RankMeasure {
  /** 1 when a gold section is among the first k sections. */
  readonly hit: number;
  /** Share of the gold sections among the first k. */
  readonly recall: number;
  /** 1 / rank of the first gold section; 0 when there is none. */
  readonly reciprocalRank: number;
  readonly ndcg: number;
  /** 1 when something cited is gold and everything cited was retrieved. */
  readonly citationHit: number;
  /** Share of the cited sections that are gold; 0 when nothing is cited. */
  readonly citationPrecision: number;
}

/**
 * Ranking metrics with binary relevance over the first k passages. A passage of another revision than the gold's is
 * another source and not relevant.
 * @source hit, recall@k, MRR@k and nDCG@k as BEIR computes them: N. Thakur et al., NeurIPS 2021 Datasets and
 *   Benchmarks; gain 1 over log2(rank + 1), ideal over min(k, gold sections)
 */
export function rankMeasure(
  answer: { readonly retrieved: readonly Passage[]; readonly citations: readonly SectionRef[] },
  gold: readonly GoldSpan[],
  k: number,
): RankMeasure {
  const relevant = new Set(gold.map(sectionKey));
  const ranked = new Set(answer.retrieved.slice(0, k).map((passage) => sourceKey(passage, gold)));
  const ranks = [...ranked].flatMap((key, index) => (relevant.has(key) ? [index + 1] : []));
  const gain = ranks.reduce((sum, rank) => sum + 1 / Math.log2(rank + 1), 0);
  const ideal = idealGain(Math.min(k, relevant.size));
  const retrieved = new Set(answer.retrieved.map(sectionKey));
  const cited = [...new Set(answer.citations.map(sectionKey))];
  const citedGold = cited.filter((key) => relevant.has(key)).length;
  return {
    hit: ranks.length > 0 ? 1 : 0,
    recall: relevant.size === 0 ? 0 : ranks.length / relevant.size,
    reciprocalRank: ranks[0] === undefined ? 0 : 1 / ranks[0],
    ndcg: ideal === 0 ? 0 : gain / ideal,
    citationHit: citedGold > 0 && cited.every((key) => retrieved.has(key)) ? 1 : 0,
    citationPrecision: cited.length === 0 ? 0 : citedGold / cited.length,
  };
}

function idealGain(relevant: number): number {
  let sum = 0;
  for (let rank = 1; rank <= relevant; rank++) sum += 1 / Math.log2(rank + 1);
  return sum;
}

/** Key of a passage's section; one of its own when the gold was written for another revision of it. */
function sourceKey(passage: Passage, gold: readonly GoldSpan[]): string {
  const key = sectionKey(passage);
  const spans = gold.filter((span) => sectionKey(span) === key);
  const isForeign = spans.length > 0 && spans.every((span) => !isSameRevision(span.rev, passage.rev));
  return isForeign ? `${key}\u0000${passage.rev}` : key;
}
