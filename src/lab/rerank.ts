import type { VectorHit } from "../ports/vector-index.ts";
import type { Chunk } from "./chunker.ts";
import { digestOf } from "../core/release/merkle.ts";
import type { LexicalEmbedder } from "./lexical-embedder.ts";
import { terms } from "./terms.ts";

/** Weights of the fused score: what the chunk says, where the index had it, and what its section says as a whole. */
const FUSION = { overlap: 0.4, retrieval: 0.3, section: 0.3 };

/** Chunks handed to the reranker; more when more are asked for. */
export const RERANK_IN = 30;

/** @source definitions.md §6 */
export const RERANK_CONF = digestOf({
  model: "sluice-lab/lexical-overlap",
  version: "1",
  k_in: RERANK_IN,
  k_out: "k",
  cutoff: null,
  fusion: FUSION,
  tie_break: "score desc, section asc, start asc",
});

export interface RankedChunk {
  readonly chunk: Chunk;
  /** Fused score, 0..1. */
  readonly score: number;
  /** Share of the question's term weight that the chunk holds, 0..1. */
  readonly overlap: number;
}

/** Share of the weight of the question's terms that occur among `found`. 0 for a question without terms. */
export function overlapShare(
  question: ReadonlySet<string>,
  found: ReadonlySet<string>,
  embedder: LexicalEmbedder,
): number {
  let [held, all] = [0, 0];
  for (const term of question) {
    const weight = embedder.weight(term);
    all += weight;
    if (found.has(term)) held += weight;
  }
  return all === 0 ? 0 : held / all;
}

function inOrder(left: RankedChunk, right: RankedChunk): number {
  if (left.score !== right.score) return right.score - left.score;
  if (left.chunk.section !== right.chunk.section) return left.chunk.section < right.chunk.section ? -1 : 1;
  return left.chunk.start - right.chunk.start;
}

/**
 * Orders retrieved chunks by how much of the question they hold; the parts of one section support each other, so that
 * a section is returned as a whole rather than by its one best window. `termsOf(row)` are the chunk's own terms.
 */
export function rerank(
  question: string,
  hits: readonly VectorHit[],
  source: {
    readonly chunks: readonly Chunk[];
    readonly termsOf: (row: number) => ReadonlySet<string>;
    readonly embedder: LexicalEmbedder;
  },
): readonly RankedChunk[] {
  const asked = new Set(terms(question));
  const best = Math.max(...hits.map(({ score }) => score), Number.MIN_VALUE);
  const bySection = new Map<string, Set<string>>();
  for (const { row } of hits) {
    const section = (source.chunks[row] as Chunk).section;
    const found = bySection.get(section) ?? new Set();
    for (const term of source.termsOf(row)) if (asked.has(term)) found.add(term);
    bySection.set(section, found);
  }
  return hits
    .map(({ row, score }) => {
      const chunk = source.chunks[row] as Chunk;
      const overlap = overlapShare(asked, source.termsOf(row), source.embedder);
      const section = overlapShare(asked, bySection.get(chunk.section) ?? new Set(), source.embedder);
      const retrieval = Math.max(0, score / best);
      const fused = FUSION.overlap * overlap + FUSION.retrieval * retrieval + FUSION.section * section;
      return { chunk, score: fused, overlap };
    })
    .sort(inOrder);
}
