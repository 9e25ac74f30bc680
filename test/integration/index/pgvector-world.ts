import {
  type PgvectorConfig,
  pgvectorAliases,
  type PostgresClient,
} from "../../../src/drivers/index/pgvector/index.ts";
import { keptStamp } from "../../../src/drivers/index/stamp.ts";
import type { IndexAliases } from "../../../src/ports/index-alias.ts";
import type { IndexWorld, WantedIndex } from "../../../src/testing/index-suite.ts";

/** A database that indexes are built in, and whether it has the extension `vector`; else vectors are arrays. */
export interface Database {
  readonly client: PostgresClient;
  readonly hasVector: boolean;
  openAway(): IndexAliases;
}

const DIMS = 3;

/** Builds a table as a build job would: rows, the index that searches them, the stamp last. */
export async function buildTable(
  { client, hasVector }: Pick<Database, "client" | "hasVector">,
  index: string,
  { count, metric, analyzer, indexHash }: WantedIndex,
): Promise<void> {
  await client.query(
    `create table ${index} (id text primary key, embedding ${hasVector ? `vector(${DIMS})` : "real[]"})`,
  );
  for (let row = 0; row < count; row++) {
    const vector = hasVector ? `'[${row},1,0]'` : `array[${row},1,0]::real[]`;
    await client.query(`insert into ${index} values ($1, ${vector})`, [`c${row}`]);
  }
  if (hasVector) await client.query(`create index on ${index} using hnsw (embedding vector_${metric}_ops)`);
  if (indexHash === null) return;
  const stamp = { indexHash, metric, analyzer, embedSchema: "e@1", builtAt: "2026-01-01T00:00:00Z", count };
  await client.query(`comment on table ${index} is '${JSON.stringify(keptStamp(stamp))}'`);
}

/** Names of tables are the world's alone; the table of public names too, so that each first name has to make it. */
export function pgvectorWorld(database: Database, prefix: string): IndexWorld {
  const { client } = database;
  const table = `alias_${prefix}`;
  const built: string[] = [];
  const config: PgvectorConfig = { client: { query: (text, values) => client.query(text, values) }, table };
  return {
    open: () => pgvectorAliases(config),
    openAway: () => database.openAway(),
    async build(index, wanted) {
      built.push(index);
      await buildTable(database, index, wanted);
    },
    async moveBehind(alias, index) {
      await client.query(`update ${table} set index_name = $2 where alias = $1`, [alias, index]);
    },
    prefix,
    async end() {
      for (const one of [...built, table]) await client.query(`drop table if exists ${one}`);
    },
  };
}
