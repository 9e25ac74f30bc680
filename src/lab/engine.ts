import type { Manifest } from "../core/release/manifest.ts";
import { extractAnswer } from "./answer.ts";
import type { Section } from "./corpus.ts";
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

/** Everything behind the HTTP surface: one loaded release. */
export interface LabEngine {
  readonly manifest: Manifest;
  readonly sections: number;
  readonly chunks: number;
  /** `unsteadySeed` matters only to questions that the fault `unstable-answers` picked. */
  answer(question: string, k: number, unsteadySeed: number): Promise<LabAnswer>;
}

const DROPPED_SECTIONS = 3;

/** Half of the runs lose the best sections, and the rest comes in any order. */
function unsteady(ranked: readonly RankedChunk[], seed: number): readonly RankedChunk[] {
  const random = seeded(seed, "unstable-answers");
  const best = new Set([...new Set(ranked.map(({ chunk }) => chunk.section))].slice(0, DROPPED_SECTIONS));
  const kept = random.float() < 0.5 ? ranked.filter(({ chunk }) => !best.has(chunk.section)) : ranked;
  return random.shuffle(kept);
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
  const unstableShare = faults.get("unstable-answers") ?? 0;
  const isUnstable = (question: string): boolean => hash32(question, seed) < unstableShare * 2 ** 32;

  const answer: LabEngine["answer"] = async (question, k, unsteadySeed) => {
    const startedAt = performance.now();
    const hits = await store.search(embedder.embed(question), Math.max(RERANK_IN, k));
    const retrievedAt = performance.now();
    const ranked = rerank(question, hits, source);
    const top = (isUnstable(question) ? unsteady(ranked, unsteadySeed) : ranked).slice(0, k);
    const said = extractAnswer(question, top, embedder);
    const retrieved = top.map(({ chunk: { doc, section, start, end, text }, score }) => {
      return named({ doc, section, start, end, text, score: rounded(score) });
    });
    const timings = { retrieve: rounded(retrievedAt - startedAt), rerank: rounded(performance.now() - retrievedAt) };
    return { ...said, retrieved, citations: said.citations.map(named), timings_ms: timings };
  };

  const [first] = index.chunks;
  const found = first === undefined ? [] : await store.search(embedder.embed(embeddedText(first)), RERANK_IN);
  if (index.spec.METRIC === "cosine" && !found.some(({ row }) => index.chunks[row] === first)) {
    throw new LabError("index", `index ${index.manifest.name} does not find its own first chunk; rebuild it`);
  }
  return { manifest, sections: sections.length, chunks: index.chunks.length, answer };
}
