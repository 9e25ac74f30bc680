import type { IndexedChunk } from "../../../core/release/index-hash.ts";
import type { IndexStamp } from "../../../core/release/index-facts.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import { keptStamp } from "../stamp.ts";
import { NAME, type PostgresClient, queryRows } from "./client.ts";
import { quotedTable } from "./names.ts";

/** A chunk with the vector it is found by. */
export interface BuiltRow extends IndexedChunk {
  readonly vector: ArrayLike<number>;
}

export interface TableShape {
  readonly index: string;
  readonly dims: number;
  readonly metric: "cosine" | "l2" | "ip";
}

/** What became of a table: how it holds vectors, and whether an index searches them. */
export interface BuiltTable {
  readonly type: "vector" | "real[]";
  readonly isSearched: boolean;
}

/** @source pgvector README, "HNSW": at most 2 000 dimensions of type vector */
const SEARCHED_DIMS_MAX = 2_000;
const ROWS_AT_ONCE = 200;

async function makeTable(client: PostgresClient, { index, dims }: TableShape, type: BuiltTable["type"]): Promise<void> {
  const columns = `id text primary key, section text not null, start_at integer not null, end_at integer not null,
    body text not null, embedding ${type === "vector" ? `vector(${dims})` : type} not null`;
  await queryRows(client, `create table ${quotedTable(index)} (${columns})`, []);
}

async function insert(client: PostgresClient, table: string, type: string, rows: readonly BuiltRow[]): Promise<void> {
  const [open, close] = type === "vector" ? ["[", "]"] : ["{", "}"];
  const given = rows.map(({ id, section, start, end, text, vector }) => {
    return {
      id,
      section,
      start_at: start,
      end_at: end,
      body: text,
      embedding: `${open}${Array.from(vector).join()}${close}`,
    };
  });
  const columns = "id text, section text, start_at integer, end_at integer, body text, embedding text";
  const text = `insert into ${table} select id, section, start_at, end_at, body, embedding::${type}
    from json_to_recordset($1::json) as given(${columns})`;
  await queryRows(client, text, [JSON.stringify(given)]);
}

/** What a table holds, read back from the server. */
export interface BuiltReader {
  rows(): Promise<number>;
  /** Of the chunks that have a row. */
  vectors(ids: readonly string[]): Promise<ReadonlyMap<string, readonly number[]>>;
}

function readerOf(client: PostgresClient, table: string): BuiltReader {
  return {
    async rows() {
      return (await queryRows<{ n: number }>(client, `select count(*)::int as n from ${table}`, []))[0]?.n ?? 0;
    },
    async vectors(ids) {
      const text = `select id, embedding::real[] as vector from ${table} where id = any($1::text[])`;
      const found = await queryRows<{ id: string; vector: readonly number[] }>(client, text, [[...ids]]);
      return new Map(found.map(({ id, vector }) => [id, vector]));
    },
  };
}

/**
 * Builds a table that is not there yet: rows, the index that searches them where the extension is, the stamp last. One
 * that ended in the middle carries no stamp, so that nothing takes it for whole.
 * @param faultOf looks at what was stored before it is stamped; what it says is wrong keeps the stamp away
 * @throws DriverError `rejected`: there is such a table, it is never written to; or it has a fault
 */
export async function buildTable(
  client: PostgresClient,
  shape: TableShape,
  rows: AsyncIterable<BuiltRow> | Iterable<BuiltRow>,
  stampOfRows: (count: number) => IndexStamp,
  faultOf: (built: BuiltReader) => Promise<string | null> = async () => null,
): Promise<BuiltTable> {
  const { index, dims, metric } = shape;
  const table = quotedTable(index);
  const looked =
    "select to_regclass($1) is not null as there, exists (select 1 from pg_extension where extname = 'vector') as vector";
  const [found] = await queryRows<{ there: boolean; vector: boolean }>(client, looked, [table]);
  if (found?.there === true) {
    const advice = "it is never written to; take another name, or drop it if it carries no stamp";
    throw new DriverError("rejected", "never", `${NAME}: there is a table ${index} already; ${advice}`);
  }
  const type = found?.vector === true ? "vector" : "real[]";
  await makeTable(client, shape, type);
  let [batch, count]: [BuiltRow[], number] = [[], 0];
  for await (const row of rows) {
    batch.push(row);
    count++;
    if (batch.length < ROWS_AT_ONCE) continue;
    await insert(client, table, type, batch);
    batch = [];
  }
  if (batch.length > 0) await insert(client, table, type, batch);
  const isSearched = type === "vector" && dims <= SEARCHED_DIMS_MAX;
  if (isSearched) await queryRows(client, `create index on ${table} using hnsw (embedding vector_${metric}_ops)`, []);
  const fault = await faultOf(readerOf(client, table));
  if (fault !== null) {
    const advice = "it is not stamped; drop it, see what embeds and what stores, and build again";
    throw new DriverError("rejected", "never", `${NAME}: the table ${index} is not whole: ${fault}; ${advice}`);
  }
  // A comment takes no parameter.
  const text = JSON.stringify(keptStamp(stampOfRows(count))).replaceAll("'", "''");
  await queryRows(client, `comment on table ${table} is E'${text.replaceAll("\\", "\\\\")}'`, []);
  return { type, isSearched };
}
