import type { IndexAliases } from "../../../ports/index-alias.ts";
import { plainTable } from "../../postgres.ts";
import { flipRecord } from "../flip-rule.ts";
import { untilAborted } from "../../abortable.ts";
import { NAME, type PostgresClient } from "./client.ts";
import { readFacts } from "./facts.ts";
import { pointerTable } from "./records.ts";

export interface PgvectorConfig {
  /** A `pg` Pool, a PGlite database. */
  readonly client: PostgresClient & { close?(): Promise<void> };
  /** Plain lower-case name, optionally with a schema. Default `sluice_index_alias`. */
  readonly table?: string;
}

/** Where readers look names up. */
export const ALIAS_TABLE = "sluice_index_alias";

/**
 * Indexes that are tables of PostgreSQL, each with its stamp as the table's comment, and public names that are rows of
 * a table of ours: readers look theirs up with every request.
 */
export function pgvectorAliases({ client, table = ALIAS_TABLE }: PgvectorConfig): IndexAliases {
  const records = pointerTable(client, plainTable(table));
  return {
    name: NAME,
    can: { alias: "pointer", compareAndSet: true, epochs: true, immediate: true },
    describe: (index, signal) => untilAborted(signal, () => readFacts(client, index)),
    readAlias: (alias, signal) => records.read(alias, signal),
    flip: (flip, signal) => flipRecord(records, flip, signal),
    readThrough: (alias, signal) => records.readThrough(alias, signal),
    close: async () => client.close?.(),
  };
}
