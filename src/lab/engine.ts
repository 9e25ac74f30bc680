import type { Manifest } from "../core/release/manifest.ts";
import { extractAnswer } from "./answer.ts";
import type { Section } from "../probe/markdown.ts";
import { swapIds } from "./corpus-faults.ts";
import type { FaultSet } from "./faults.ts";
import { flatIndex } from "./flat-index.ts";
import { embeddedText, indexDefect, type LabIndex } from "./lab-index.ts";
import { LabError } from "./lab-error.ts";
import { EMBED_DIMS, lexicalEmbedder } from "./lexical-embedder.ts";
import { type RankedChunk, RERANK_IN, rerank } from "./rerank.ts";
import { hash32, seeded } from "./seeded.ts";
import { terms } from "./terms.ts";

/** The answer as the probe contract names it, without the model's time. */
export interface LabAnswer {
  readonly answer: string;
  readonly refused: boolean;
  readonly retrieved: readonly {
    readonly doc: string;
    readonly section: string;
    readonly start: number;
    readonly end: number;
    readonly text: string;
    readonly score: number;
  }[];
  readonly citations: readonly { readonly doc: string; readonly section: string }[];
  readonly timings_ms: { readonly retrieve: number; readonly rerank: number };
}

/** An answer, and what the cache had to do with it. */
export interface GivenAnswer {
  readonly answer: LabAnswer;
  /** Release that wrote the entry it was read from; null: it was worked out. */
  readonly cachedBy: string | null;
}

/** Everything behind the HTTP surface: one loaded release. */
export interface LabEngine {
  readonly manifest: Manifest;
  readonly sections: number;
  readonly chunks: number;
  /**
   * @param unsteadySeed matters only to questions that the fault `unstable-answers` picked
   * @param namespace prefix of cache keys that the data plane gave the request; null for one that did not pass one
   */
  answer(question: string, k: number, unsteadySeed: number, namespace: string | null): Promise<GivenAnswer>;
}

/** Ranks that an unstable question keeps. */
const STEADY_RANKS = 3;

/**
 * The best chunks stay, the rest comes from anywhere and differs between runs: what an approximate index that lost its
 * tail looks like. The answer's evidence is still there, so coverage stays and only the run signature moves.
 */
function unsteady(
  ranked: readonly RankedChunk[],
  all: readonly RankedChunk[],
  k: number,
  seed: number,
): readonly RankedChunk[] {
  const steady = ranked.slice(0, STEADY_RANKS);
  const kept = new Set(steady.map(({ chunk }) => chunk));
  const rest = seeded(seed, "unstable-answers")
    .shuffle(all)
    .filter(({ chunk }) => !kept.has(chunk));
  return [...steady, ...rest.slice(0, Math.max(0, k - steady.length))];
}

function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/**
 * Loads an index for serving. Refuses one that does not hold what it is stamped with, or that cannot find its own text.
 * @throws LabError `index`
 */
export async function labEngine(
  index: LabIndex,
  manifest: Manifest,
  sections: readonly Section[],
  faults: FaultSet,
  seed: number,
): Promise<LabEngine> {
  const embedder = lexicalEmbedder(index.statistics);
  const defect = indexDefect(index, embedder);
  if (defect !== null)
    throw new LabError("index", `index ${index.manifest.name} cannot be served: ${defect}; rebuild it`);
  const store = flatIndex(index.manifest, index.rows, EMBED_DIMS, index.spec.METRIC);
  const chunkTerms = index.chunks.map((chunk) => new Set(terms(embeddedText(chunk))));
  const source = { chunks: index.chunks, termsOf: (row: number) => chunkTerms[row] ?? new Set<string>(), embedder };
  const swapped = faults.has("swapped-ids") ? swapIds(sections, seed) : null;
  const named = <T extends { readonly doc: string; readonly section: string }>(item: T): T => {
    return { ...item, ...swapped?.get(item.section) };
  };
  const anywhere = index.chunks.map((chunk): RankedChunk => ({ chunk, score: 0, overlap: 0 }));
  const unstableShare = faults.get("unstable-answers") ?? 0;
  // By the best section, so that a question is unstable in all its phrasings or in none.
  const isUnstable = ([best]: readonly RankedChunk[]): boolean =>
    best !== undefined && hash32(best.chunk.section, seed) < unstableShare * 2 ** 32;

  const answer: LabEngine["answer"] = async (question, k, unsteadySeed) => {
    const startedAt = performance.now();
    const hits = await store.search(embedder.embed(question), Math.max(RERANK_IN, k));
    const retrievedAt = performance.now();
    const ranked = rerank(question, hits, source);
    const top = (isUnstable(ranked) ? unsteady(ranked, anywhere, k, unsteadySeed) : ranked).slice(0, k);
    const said = extractAnswer(question, top, embedder);
    const retrieved = top.map(({ chunk: { doc, section, start, end, text }, score }) => {
      return named({ doc, section, start, end, text, score: rounded(score) });
    });
    const timings = { retrieve: rounded(retrievedAt - startedAt), rerank: rounded(performance.now() - retrievedAt) };
    return {
      answer: { ...said, retrieved, citations: said.citations.map(named), timings_ms: timings },
      cachedBy: null,
    };
  };

  const [first] = index.chunks;
  const found = first === undefined ? [] : await store.search(embedder.embed(embeddedText(first)), RERANK_IN);
  if (index.spec.METRIC === "cosine" && !found.some(({ row }) => index.chunks[row] === first)) {
    throw new LabError("index", `index ${index.manifest.name} does not find its own first chunk; rebuild it`);
  }
  return { manifest, sections: sections.length, chunks: index.chunks.length, answer };
}
