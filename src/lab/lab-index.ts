import { assert } from "../core/assert.ts";
import { indexHash, type IndexSpec } from "../core/release/index-hash.ts";
import type { VectorIndexManifest } from "../ports/vector-index.ts";
import { type Chunk, type ChunkSchema, chunkSection } from "./chunker.ts";
import type { Section } from "../probe/markdown.ts";
import type { Metric } from "./flat-index.ts";
import { LabError } from "./lab-error.ts";
import {
  EMBED_DIMS,
  EMBED_SCHEMA,
  type LexicalEmbedder,
  learnTerms,
  lexicalEmbedder,
  type TermStatistics,
} from "./lexical-embedder.ts";
import { ANALYZER } from "./terms.ts";

/** Everything besides the corpus that shapes the laboratory's index. */
interface LabSpec extends IndexSpec {
  readonly CHUNK_SCHEMA: { readonly unit: "word"; readonly words: number; readonly overlap: number };
  readonly METRIC: Metric;
  readonly STORE: { readonly kind: "flat"; readonly dtype: "float32"; readonly dims: number };
}

/** A built index: row i of `rows` is the vector of `chunks[i]`. */
export interface LabIndex {
  readonly manifest: VectorIndexManifest;
  readonly spec: LabSpec;
  readonly chunks: readonly Chunk[];
  readonly statistics: TermStatistics;
  readonly rows: Float32Array;
}

export interface IndexPlan {
  readonly name: string;
  readonly spec: LabSpec;
  readonly chunks: readonly Chunk[];
  readonly INDEX_HASH: string;
}

/** A chunk as the embedder sees it: below the words of its section id, as a reader sees it below its heading. */
export function embeddedText(chunk: Chunk): string {
  return `${chunk.section}\n${chunk.text}`;
}

/** Everything besides the corpus that shapes an index that is built this way. */
export function labSpec(metric: Metric, chunk: ChunkSchema): LabSpec {
  return {
    EMBED_SCHEMA,
    CHUNK_SCHEMA: { unit: "word", ...chunk },
    METRIC: metric,
    ANALYZER,
    STORE: { kind: "flat", dtype: "float32", dims: EMBED_DIMS },
  };
}

/** What building would give, without the vectors: enough to know whether a stored index can be used. */
export function planIndex(
  sections: readonly Section[],
  options: { readonly name: string; readonly metric: Metric; readonly chunk: ChunkSchema },
): IndexPlan {
  const chunks = sections.flatMap((section) => chunkSection(section, options.chunk));
  if (chunks.length === 0) {
    throw new LabError("corpus", `${sections.length} sections hold no word, so nothing can be indexed; add text`);
  }
  const spec = labSpec(options.metric, options.chunk);
  return { name: options.name, spec, chunks, INDEX_HASH: indexHash(spec, chunks) };
}

/** Learns the terms and embeds every chunk. `builtAt` is ISO 8601 and not part of the hash. */
export function buildIndex(plan: IndexPlan, builtAt: string): LabIndex {
  const statistics = learnTerms(plan.chunks.map(embeddedText));
  const embedder = lexicalEmbedder(statistics);
  const rows = new Float32Array(plan.chunks.length * EMBED_DIMS);
  for (const [row, chunk] of plan.chunks.entries()) rows.set(embedder.embed(embeddedText(chunk)), row * EMBED_DIMS);
  const { METRIC, ANALYZER: analyzer, EMBED_SCHEMA: schema } = plan.spec;
  const manifest: VectorIndexManifest = {
    name: plan.name,
    INDEX_HASH: plan.INDEX_HASH,
    METRIC,
    ANALYZER: analyzer,
    EMBED_SCHEMA: schema,
    BUILD_TS: builtAt,
  };
  return { manifest, spec: plan.spec, chunks: plan.chunks, statistics, rows };
}

function cosine(left: Float32Array, right: Float32Array): number {
  let [product, a, b] = [0, 0, 0];
  for (let i = 0; i < left.length; i++) {
    product += left[i]! * right[i]!;
    a += left[i]! ** 2;
    b += right[i]! ** 2;
  }
  return a === 0 && b === 0 ? 1 : product / Math.sqrt(a * b || 1);
}

const SAMPLE_ROWS = 32;

/**
 * Inputs do not prove the build: counts must match the rows, the hash the chunks, and evenly spread rows their text
 * embedded again. Returns what is wrong, or null.
 * @source definitions.md §6 (cosine >= 0.999)
 */
export function indexDefect(index: LabIndex, embedder: LexicalEmbedder): string | null {
  const { chunks, rows, spec, manifest } = index;
  const dims = spec.STORE.dims;
  assert(dims === EMBED_DIMS, `the embedder makes ${EMBED_DIMS} dimensions, the index holds ${dims}`);
  if (rows.length !== chunks.length * dims) return `${chunks.length} chunks but ${rows.length / dims} vectors`;
  const hash = indexHash(spec, chunks);
  if (hash !== manifest.INDEX_HASH) return `stamped INDEX_HASH ${manifest.INDEX_HASH}, its content hashes to ${hash}`;
  const step = Math.max(1, Math.floor(chunks.length / SAMPLE_ROWS));
  for (let row = 0; row < chunks.length; row += step) {
    const again = embedder.embed(embeddedText(chunks[row] as Chunk));
    const similarity = cosine(rows.subarray(row * dims, (row + 1) * dims), again);
    if (similarity < 0.999) return `row ${row} has cosine ${similarity.toFixed(4)} with its text embedded again`;
  }
  return null;
}
