import type { SqlClient, SqlDatabase } from "./client.ts";

/** One row of one table, as a backup holds it. */
export interface StoredRow {
  readonly table: string;
  readonly row: Readonly<Record<string, unknown>>;
}

/** Rows in hand at once, on the way out and in. */
const BATCH = 200;
const TABLES = `select table_name as name from information_schema.tables where table_schema = current_schema()
  and table_type = 'BASE TABLE' and table_name <> 'migrations' order by table_name`;

/** Names of all tables that hold rows of ours. */
export async function tablesOf(client: SqlClient): Promise<readonly string[]> {
  return (await client.query<{ name: string }>(TABLES)).rows.map(({ name }) => name);
}

/**
 * Every row as of one moment, as lines of JSON; nothing is written meanwhile. Works on a database of any migration, so
 * that a copy can be made before a newer version touches it.
 * @param take resolves when it can take the next batch
 */
export async function copyRows(
  database: SqlDatabase,
  take: (lines: readonly string[]) => Promise<void>,
): Promise<void> {
  await database.transaction(async (client) => {
    await client.query("set transaction isolation level repeatable read, read only"); // One moment for all tables.
    for (const table of await tablesOf(client)) {
      await client.query(`declare copied cursor for select row_to_json(t)::text as text from "${table}" t`);
      for (;;) {
        const { rows } = await client.query<{ text: string }>(`fetch ${BATCH} from copied`);
        if (rows.length === 0) break;
        await take(rows.map(({ text }) => `{"table":${JSON.stringify(table)},"row":${text}}`));
      }
      await client.query("close copied");
    }
  });
}

/** Puts rows into the empty tables of a database of the migration they were copied from. */
export async function insertRows(database: SqlDatabase, rows: AsyncIterable<StoredRow>): Promise<void> {
  await database.transaction(async (client) => {
    const tables = new Set(await tablesOf(client));
    let [table, batch]: [string, StoredRow["row"][]] = ["", []];
    const flush = async (): Promise<void> => {
      if (batch.length === 0) return;
      const insert = `insert into "${table}" overriding system value
        select * from json_populate_recordset(null::"${table}", $1::json)`;
      await client.query(insert, [JSON.stringify(batch)]);
      batch = [];
    };
    for await (const next of rows) {
      if (!tables.has(next.table)) throw new Error(`there is no table ${next.table}`);
      if (next.table !== table || batch.length === BATCH) await flush();
      table = next.table;
      batch.push(next.row);
    }
    await flush();
    await continueCounting(client);
  });
}

/** Numbers that the database gives by itself go on above those that were put in. */
async function continueCounting(client: SqlClient): Promise<void> {
  const counted = `select table_name as table, column_name as column from information_schema.columns
    where table_schema = current_schema() and is_identity = 'YES'`;
  for (const { table, column } of (await client.query<{ table: string; column: string }>(counted)).rows) {
    const next = `select setval(pg_get_serial_sequence('"${table}"', '${column}'),
      (select coalesce(max("${column}"), 0) + 1 from "${table}"), false)`;
    await client.query(next);
  }
}
