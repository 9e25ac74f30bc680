import { indexHash, type IndexSpec } from "../../core/release/index-hash.ts";
import { buildTable, type BuiltRow, connect } from "../../drivers/index/pgvector/index.ts";
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

interface Vectors {
  readonly embedSchema: string;
  readonly dims: number;
  readonly rows: AsyncIterable<BuiltRow>;
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
    if (embedSchema !== null) return { embedSchema, dims: brought.length, rows: given(chunks) };
    throw new InputError("file", `${corpus} brings vectors; say what made them with --embed-schema`);
  }
  if (name === null) throw new InputError("file", `${corpus} brings no vectors; name an --embedder`);
  const embedder = embedderNamed(name)(chunks.map(({ text }) => text));
  async function* made(from: number): AsyncIterable<BuiltRow> {
    for (let start = from; start < chunks.length; start += EMBED_AT_ONCE) {
      const some = chunks.slice(start, start + EMBED_AT_ONCE);
      const vectors = await embedder.embed(
        some.map(({ text }) => text),
        signal,
      );
      for (const [place, chunk] of some.entries()) yield { ...chunk, vector: vectors[place] ?? [] };
    }
  }
  const [first] = await embedder.embed([chunks[0]?.text ?? ""], signal);
  return { embedSchema: embedSchema ?? embedder.id, dims: first?.length ?? 0, rows: made(0) };
}

/** `sluice index build`: a new table with the vectors of a corpus, and the stamp of what went into it. */
export async function indexBuild(options: IndexBuildOptions, terminal: Terminal): Promise<ExitCode> {
  const { index, metric, analyzer, chunkSchema } = options;
  const signal = AbortSignal.timeout(BUILD_MS);
  const chunks = await readCorpusChunks(options.corpus);
  const { embedSchema, dims, rows } = await vectorsOf(chunks, options, signal);
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
    const built = await buildTable(client, { index, dims, metric }, rows, (count) => {
      return { indexHash: hash, metric, analyzer, embedSchema, builtAt, count };
    });
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
