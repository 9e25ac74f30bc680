import { buildTable, connect, pgvectorAliases } from "../../../drivers/index/pgvector/index.ts";
import { postgresQueue } from "../../../drivers/queue/postgres/index.ts";
import { systemClock } from "../../../host/system-clock.ts";
import { chunkSchema } from "../../../lab/chunker.ts";
import { dropSections } from "../../../lab/corpus-faults.ts";
import { buildIndex, planIndex } from "../../../lab/lab-index.ts";
import { EMBED_DIMS } from "../../../lab/lexical-embedder.ts";
import { loadCorpus } from "../../../probe/corpus-file.ts";
import { HANDBOOK } from "../../handbook.ts";

/** Names of everything that is moved. */
export const NAMES = {
  alias: "docs_live",
  index: { blue: "docs_va", green: "docs_vb" },
  queue: { blue: "jobs.blue", green: "jobs.green" },
  consumer: { blue: "blue", green: "green" },
  pointer: "jobs",
  cache: { blue: "blue:", green: "green:" },
} as const;

/** What green's corpus has more than blue's, so that the two indexes differ. */
const NEWS = {
  doc: "rollouts/news",
  section: "rollouts/news#since-the-last-release",
  text: "Since the last release the corpus has this section more.",
};

const soon = () => AbortSignal.timeout(20_000);

/** Builds both indexes in the store, points the public name to blue's, and lets blue's workers take from the queue. */
export async function prepareStore(
  url: string,
  { droppedSections, seed }: { readonly droppedSections: number; readonly seed: number },
): Promise<void> {
  const client = connect(url, null);
  try {
    const corpus = await loadCorpus(HANDBOOK);
    await build(client, NAMES.index.blue, corpus);
    await build(client, NAMES.index.green, [...dropSections(corpus, droppedSections, seed), NEWS]);
    const aliases = pgvectorAliases({ client });
    const found = await aliases.readAlias(NAMES.alias, soon());
    const first = { alias: NAMES.alias, from: null, to: NAMES.index.blue, epoch: 0 };
    if (found === null) await aliases.flip(first, soon());
    const queue = postgresQueue({ client, clock: systemClock() });
    await queue.start(NAMES.queue.blue, NAMES.consumer.blue, { after: {}, epoch: 0 }, soon());
  } finally {
    await client.close();
  }
}

async function build(
  client: ReturnType<typeof connect>,
  name: string,
  sections: Awaited<ReturnType<typeof loadCorpus>>,
): Promise<void> {
  const plan = planIndex(sections, { name, metric: "cosine", chunk: chunkSchema() });
  const { chunks, manifest, rows } = buildIndex(plan, new Date().toISOString());
  const built = chunks.map((chunk, place) => {
    return { ...chunk, vector: rows.subarray(place * EMBED_DIMS, (place + 1) * EMBED_DIMS) };
  });
  const { INDEX_HASH: indexHash, ANALYZER: analyzer, EMBED_SCHEMA: embedSchema, BUILD_TS: builtAt } = manifest;
  await buildTable(client, { index: name, dims: EMBED_DIMS, metric: "cosine" }, built, (count) => {
    return { indexHash, metric: "cosine", analyzer, embedSchema, builtAt, count };
  });
}
