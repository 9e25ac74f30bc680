import { indexHash, type IndexSpec } from "../../core/release/index-hash.ts";
import { integrityFault } from "../../core/release/index-integrity.ts";
import { type BuiltReader, buildTable, type BuiltRow, connect } from "../../drivers/index/pgvector/index.ts";
import { randomInt } from "node:crypto";
import { embedderNamed } from "../../host/embedder.ts";
import { InputError } from "../../probe/input-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";
import { type CorpusChunk, readCorpusChunks } from "./index-corpus.ts";

export interface IndexBuildOptions {
  readonly json: boolean;
  readonly url: string;
  readonly secretFile: string | null;
  readonly corpus: string;
  readonly index: string;
  readonly metric: "cosine" | "l2" | "ip";
  readonly analyzer: string;
  readonly embedder: string | null;
  readonly embedSchema: string | null;
  readonly chunkSchema: string;
}

const EMBED_AT_ONCE = 256;
const BUILD_MS = 3_600_000;
/** Chunks whose stored vectors are compared with those of their texts, embedded again. */
const SAMPLE_MAX = 64;

interface Vectors {
  readonly embedSchema: string;
  readonly dims: number;
  readonly rows: AsyncIterable<BuiltRow>;
  /** The vectors of some chunks once more: embedded again, or as the corpus brings them. */
  again(chunks: readonly CorpusChunk[]): Promise<readonly ArrayLike<number>[]>;
}

async function* given(chunks: readonly CorpusChunk[]): AsyncIterable<BuiltRow> {
  for (const chunk of chunks) yield { ...chunk, vector: chunk.vector ?? [] };
}

/** Vectors of the corpus, or made as they are needed; never two sources of them. */
async function vectorsOf(
  chunks: readonly CorpusChunk[],
  { corpus, embedder: name, embedSchema }: IndexBuildOptions,
  signal: AbortSignal,
): Promise<Vectors> {
  const brought = chunks[0]?.vector ?? null;
  if (brought !== null && name !== null) {
    throw new InputError("file", `${corpus} brings vectors; leave --embedder out, or the vectors`);
  }
  if (brought !== null) {
    const again = async (some: readonly CorpusChunk[]) => some.map(({ vector }) => vector ?? []);
    if (embedSchema !== null) return { embedSchema, dims: brought.length, rows: given(chunks), again };
    throw new InputError("file", `${corpus} brings vectors; say what made them with --embed-schema`);
  }
  if (name === null) throw new InputError("file", `${corpus} brings no vectors; name an --embedder`);
  const embedder = embedderNamed(name)(chunks.map(({ text }) => text));
  const again = (some: readonly CorpusChunk[]) =>
    embedder.embed(
      some.map(({ text }) => text),
      signal,
    );
  async function* made(from: number): AsyncIterable<BuiltRow> {
    for (let start = from; start < chunks.length; start += EMBED_AT_ONCE) {
      const some = chunks.slice(start, start + EMBED_AT_ONCE);
      const vectors = await again(some);
      for (const [place, chunk] of some.entries()) yield { ...chunk, vector: vectors[place] ?? [] };
    }
  }
  const [first] = await embedder.embed([chunks[0]?.text ?? ""], signal);
  return { embedSchema: embedSchema ?? embedder.id, dims: first?.length ?? 0, rows: made(0), again };
}

/** Chunks at random, each at most once. */
function sampleOf(chunks: readonly CorpusChunk[]): readonly CorpusChunk[] {
  const places = new Set<number>();
  while (places.size < Math.min(SAMPLE_MAX, chunks.length)) places.add(randomInt(chunks.length));
  return [...places].flatMap((place) => chunks[place] ?? []);
}

/** Whether the store holds what the stamp will say: the hash is over inputs and proves nothing of that. */
async function faultIn(built: BuiltReader, chunks: readonly CorpusChunk[], again: Vectors["again"]) {
  const sample = sampleOf(chunks);
  const [stored, vectors] = [await built.vectors(sample.map(({ id }) => id)), await again(sample)];
  const compared = sample.map(({ id }, place) => ({ id, stored: stored.get(id) ?? null, again: vectors[place] ?? [] }));
  return integrityFault({ chunks: chunks.length, rows: await built.rows() }, compared);
}

/** `sluice index build`: a new table with the vectors of a corpus, and the stamp of what went into it. */
export async function indexBuild(options: IndexBuildOptions, terminal: Terminal): Promise<ExitCode> {
  const { index, metric, analyzer, chunkSchema } = options;
  const signal = AbortSignal.timeout(BUILD_MS);
  const chunks = await readCorpusChunks(options.corpus);
  const { embedSchema, dims, rows, again } = await vectorsOf(chunks, options, signal);
  const spec: IndexSpec = {
    EMBED_SCHEMA: embedSchema,
    CHUNK_SCHEMA: chunkSchema,
    METRIC: metric,
    ANALYZER: analyzer,
    STORE: { kind: "pgvector", dims },
  };
  const hash = indexHash(spec, chunks);
  const client = connect(options.url, options.secretFile);
  try {
    const builtAt = new Date().toISOString();
    const stampOf = (count: number) => ({ indexHash: hash, metric, analyzer, embedSchema, builtAt, count });
    const faultOf = (table: BuiltReader) => faultIn(table, chunks, again);
    const built = await buildTable(client, { index, dims, metric }, rows, stampOf, faultOf);
    if (built.type !== "vector")
      terminal.say("the database has no extension vector: vectors are real[], searched row by row");
    else if (!built.isSearched)
      terminal.say(`${dims} dimensions are too many for an index: vectors are searched row by row`);
    if (options.json)
      terminal.data(JSON.stringify({ index, index_hash: hash, count: chunks.length, dims, type: built.type }));
    else terminal.data(`${index}  ${hash}  ${chunks.length} chunks of ${dims} dimensions`);
    return EXIT.ok;
  } finally {
    await client.close().catch(() => {}); // The command has its answer or its error already.
  }
}
