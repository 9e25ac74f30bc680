import type { IndexFacts } from "../../../core/release/index-facts.ts";
import { stampOfText } from "../stamp.ts";
import { type PostgresClient, queryRows } from "./client.ts";
import { quotedTable } from "./names.ts";

interface Column {
  readonly name: string;
  readonly type: string;
  /** Dimensions of a vector type that was given some; -1 without. */
  readonly modifier: number;
}

interface SearchIndex {
  readonly name: string;
  readonly opclass: string;
  readonly isReady: boolean;
}

interface Table {
  readonly comment: string | null;
  readonly columns: readonly Column[];
  readonly searched: readonly SearchIndex[];
}

/** Types that hold a vector; arrays are searched without the extension. */
const VECTOR_TYPES = ["vector", "halfvec", "sparsevec"];

const TABLE = `
select obj_description(c.oid, 'pg_class') as comment,
  coalesce((select json_agg(json_build_object('name', a.attname, 'type', t.typname, 'modifier', a.atttypmod)
      order by a.attname <> 'embedding', a.attnum)
    from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      and t.typname in ('vector', 'halfvec', 'sparsevec', '_float4', '_float8')), '[]') as columns,
  coalesce((select json_agg(json_build_object('name', i.relname, 'opclass', o.opcname,
      'isReady', x.indisvalid and x.indisready))
    from pg_index x join pg_class i on i.oid = x.indexrelid join pg_am m on m.oid = i.relam
      join pg_opclass o on o.oid = any (x.indclass::oid[])
    where x.indrelid = c.oid and m.amname in ('hnsw', 'ivfflat')), '[]') as searched
from pg_class c where c.oid = to_regclass($1) and c.relkind in ('r', 'p', 'm')`;

/** @source pgvector README, "Indexing": an operator class a metric, e.g. vector_cosine_ops */
function metricOf(searched: readonly SearchIndex[]): string | null {
  const metrics = searched.map(({ opclass }) => /_(\w+)_ops$/.exec(opclass)?.[1] ?? opclass);
  return metrics.length === 0 ? null : [...new Set(metrics)].sort().join(" and ");
}

async function countRows(client: PostgresClient, table: string, column: Column) {
  const isArray = !VECTOR_TYPES.includes(column.type);
  const name = `"${column.name.replaceAll('"', '""')}"`;
  const dims = isArray ? `min(cardinality(${name})), max(cardinality(${name}))` : "null::int as min, null::int as max";
  // Only what has a vector is found by one.
  const text = `select count(${name})::float8 as count, ${dims} from ${table}`;
  type Row = { readonly count: number; readonly min: number | null; readonly max: number | null };
  const [row] = await queryRows<Row>(client, text, []);
  return { count: row?.count ?? 0, min: row?.min ?? null, max: row?.max ?? null };
}

/** What a table says of itself; null when there is none. Three statements, each of its own moment. */
export async function readFacts(client: PostgresClient, index: string): Promise<IndexFacts | null> {
  const table = quotedTable(index);
  const [found] = await queryRows<Table>(client, TABLE, [table]);
  if (found === undefined) return null;
  const stamp = stampOfText(found.comment);
  const metric = metricOf(found.searched);
  const [column] = found.columns;
  if (column === undefined) {
    const notReady = "no column of it holds vectors (vector, halfvec, sparsevec, real[] or double precision[])";
    return { name: index, count: 0, dims: null, metric, analyzer: null, stamp, notReady };
  }
  const { count, min, max } = await countRows(client, table, column);
  const building = found.searched.find(({ isReady }) => !isReady);
  const notReady =
    building !== undefined
      ? `${building.name} on it is not valid: its build runs, or has failed`
      : min === max
        ? null
        : `its vectors have ${min} to ${max} dimensions`;
  const dims = VECTOR_TYPES.includes(column.type) ? (column.modifier > 0 ? column.modifier : null) : max;
  return { name: index, count, dims, metric, analyzer: null, stamp, notReady };
}
