import { stampOfText } from "../stamp.ts";
import type { AliasRecord, AliasRecords } from "../flip-rule.ts";
import { untilAborted } from "../../abortable.ts";
import { type PostgresClient, queryRows } from "./client.ts";
import { quotedTable } from "./names.ts";

interface Row {
  readonly index_name: string;
  /** `pg` gives bigint as text. */
  readonly epoch: string | number;
  readonly previous: string | null;
}

/** Records of public names in a table of ours, made with the first name. */
export interface PointerTable extends AliasRecords {
  /** INDEX_HASH that stands in the table a name points to, by one statement as readers follow it; [] without a name. */
  readThrough(alias: string, signal: AbortSignal): Promise<readonly (string | null)[]>;
}

/** @param table plain name, checked */
export function pointerTable(client: PostgresClient, table: string): PointerTable {
  let isThere = false;

  /** A database without the table has no names; it is made only when one is. */
  async function hasTable(): Promise<boolean> {
    if (isThere) return true;
    const [row] = await queryRows<{ there: boolean }>(client, "select to_regclass($1) is not null as there", [table]);
    isThere = row?.there ?? false;
    return isThere;
  }

  async function makeTable(): Promise<void> {
    if (await hasTable()) return;
    const columns = `alias text primary key, index_name text not null, epoch bigint not null, previous text,
      moved_at timestamptz not null default now()`;
    await queryRows(client, `create table if not exists ${table} (${columns})`, []);
    isThere = true;
  }

  async function write(alias: string, read: AliasRecord | null, next: AliasRecord): Promise<boolean> {
    const values = [alias, next.index, next.epoch, next.previous];
    if (read === null) {
      await makeTable();
      const text = `insert into ${table} (alias, index_name, epoch, previous) values ($1, $2, $3, $4)
        on conflict (alias) do nothing returning alias`;
      return (await queryRows(client, text, values)).length === 1;
    }
    const text = `update ${table} set index_name = $2, epoch = $3, previous = $4, moved_at = now()
      where alias = $1 and index_name = $5 and epoch = $6 returning alias`;
    return (await queryRows(client, text, [...values, read.index, read.epoch])).length === 1;
  }

  return {
    read: (alias, signal) =>
      untilAborted(signal, async () => {
        if (!(await hasTable())) return null;
        const text = `select index_name, epoch, previous from ${table} where alias = $1`;
        const [row] = await queryRows<Row>(client, text, [alias]);
        return row === undefined ? null : { index: row.index_name, epoch: Number(row.epoch), previous: row.previous };
      }),
    replace: (alias, read, next, signal) => untilAborted(signal, () => write(alias, read, next)),
    hasIndex: (index, signal) =>
      untilAborted(signal, async () => {
        const text = "select to_regclass($1) is not null as there";
        const [row] = await queryRows<{ there: boolean }>(client, text, [quotedTable(index)]);
        return row?.there ?? false;
      }),
    readThrough: (alias, signal) =>
      untilAborted(signal, async () => {
        if (!(await hasTable())) return [];
        const quoted = "(select string_agg(quote_ident(part), '.') from unnest(string_to_array(index_name, '.')) part)";
        const text = `select obj_description(to_regclass(${quoted}), 'pg_class') as comment from ${table} where alias = $1`;
        const rows = await queryRows<{ comment: string | null }>(client, text, [alias]);
        return rows.map(({ comment }) => stampOfText(comment)?.indexHash ?? null);
      }),
  };
}
