import type { VectorIndexManifest } from "../../ports/vector-index.ts";
import type { Chunk } from "../chunker.ts";
import { LabError } from "../lab-error.ts";
import { EMBED_DIMS, learnTerms } from "../lexical-embedder.ts";
import { embeddedText, type LabIndex } from "../lab-index.ts";

/** The one member of a PostgreSQL client that is called. */
export interface StoreClient {
  query<Row>(text: string, values?: unknown[]): Promise<{ readonly rows: Row[] }>;
}

interface Row {
  readonly id: string;
  readonly section: string;
  readonly start_at: number;
  readonly end_at: number;
  readonly body: string;
  /** `{0,0.25,…}`, as PostgreSQL writes an array. */
  readonly embedding: string;
}

const TABLE_NAME = /^[a-z_][a-z0-9_]{0,40}$/;

const numbersOf = (array: string) => JSON.parse(`[${array.slice(1, -1)}]`) as readonly number[];

/**
 * An index out of the table that `sluice index build` or its like made, with the stamp that stands in its comment.
 * @param spec what the index was built by; the stamp has its hash alone
 * @throws LabError `index` where there is no such table or no stamp on it
 */
export async function readTableIndex(client: StoreClient, name: string, spec: LabIndex["spec"]): Promise<LabIndex> {
  if (!TABLE_NAME.test(name)) throw new LabError("usage", `index name "${name}" is no plain lower-case name`);
  const stamped = await client.query<{ comment: string | null }>(
    "select obj_description(to_regclass($1), 'pg_class') as comment",
    [name],
  );
  const comment = stamped.rows[0]?.comment ?? null;
  if (comment === null) throw new LabError("index", `there is no stamped index ${name} in the store; build it first`);
  const { rows } = await client.query<Row>(
    `select id, section, start_at, end_at, body, embedding::text as embedding from ${name} order by id collate "C"`,
  );
  const chunks = rows.map(({ id, section, start_at: start, end_at: end, body: text }): Chunk => {
    return { id, doc: section.split("#", 1)[0] ?? section, section, start, end, text };
  });
  const vectors = new Float32Array(rows.length * EMBED_DIMS);
  for (const [place, { embedding }] of rows.entries()) vectors.set(numbersOf(embedding), place * EMBED_DIMS);
  const manifest: VectorIndexManifest = { ...(JSON.parse(comment) as VectorIndexManifest), name };
  return { manifest, spec, chunks, statistics: learnTerms(chunks.map(embeddedText)), rows: vectors };
}
