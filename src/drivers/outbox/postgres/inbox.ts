import type { InboxAnswer, InboxMessage, InboxStore } from "../../../ports/outbox-store.ts";
import { noTransaction, type PostgresClient, plainTable, queryInside, queryRows } from "./client.ts";
import { fromNow, IN_TRANSACTION, MARK_TRANSACTION } from "./statements.ts";

export interface PostgresInboxConfig {
  readonly client: PostgresClient;
  /** Plain lower-case name, optionally with a schema. Default `sluice_inbox`. */
  readonly table?: string;
  /** How long a key is known after its last delivery: longer than the sender keeps trying. Default 14 days. */
  readonly retentionMs?: number;
}

export interface PostgresInbox extends InboxStore<PostgresClient> {
  /** Creates the tables where they are missing. Idempotent; run it at deployment, not per process. */
  migrate(): Promise<void>;
}

const RETENTION_MS = 14 * 24 * 3_600_000;

function inboxStatements(table: string) {
  plainTable(table);
  const revision = `${table}_revision`;
  return {
    migrate: [
      `create table if not exists ${table} (consumer text not null, key text not null, digest text not null,
        superseded boolean not null default false, seen_at timestamptz not null, primary key (consumer, key))`,
      `create index if not exists ${table.replace(".", "_")}_seen on ${table} (seen_at)`,
      `create table if not exists ${revision} (consumer text not null, subject text not null, revision bigint not null,
        primary key (consumer, subject))`,
    ],
    enter: `select ${MARK_TRANSACTION}`,
    /** Waits for another transaction with this key: afterwards the key is there, or ours. */
    insert: `insert into ${table} (consumer, key, digest, seen_at) select $1, $2, $3, clock_timestamp()
      where ${IN_TRANSACTION} on conflict do nothing returning key`,
    /** A duplicate makes the key live longer. */
    refresh: `update ${table} set seen_at = clock_timestamp() where consumer = $1 and key = $2 returning digest`,
    advance: `insert into ${revision} as r (consumer, subject, revision) values ($1, $2, $3::bigint)
      on conflict (consumer, subject) do update set revision = excluded.revision where r.revision < excluded.revision
      returning revision`,
    supersede: `update ${table} set superseded = true where consumer = $1 and key = $2`,
    sweep: `delete from ${table} where (consumer, key) in (
        select consumer, key from ${table} where seen_at <= ${fromNow("-$2")} limit $1 for update skip locked)
      returning key`,
  } as const;
}

/** An inbox in PostgreSQL 13 or newer, or in PGlite: in the database that the consumer's own rows are in. */
export function postgresInbox(config: PostgresInboxConfig): PostgresInbox {
  const { client, table = "sluice_inbox", retentionMs = RETENTION_MS } = config;
  const sql = inboxStatements(table);

  async function claim(transaction: PostgresClient, message: InboxMessage): Promise<InboxAnswer> {
    const { consumer, key, digest = "", subject } = message;
    await queryInside(transaction, sql.enter, []);
    const inserted = await queryInside(transaction, sql.insert, [consumer, key, digest]);
    if (inserted.length === 0) {
      const [before] = await queryInside<{ digest: string }>(transaction, sql.refresh, [consumer, key]);
      if (before === undefined) throw noTransaction("an inbox claim");
      return before.digest === digest ? "seen" : "mismatch";
    }
    if (subject === undefined) return "fresh";
    const newer = await queryInside(transaction, sql.advance, [consumer, subject.id, subject.revision]);
    if (newer.length === 1) return "fresh";
    await queryInside(transaction, sql.supersede, [consumer, key]);
    return "superseded";
  }

  return {
    name: "postgres",
    async migrate() {
      for (const text of sql.migrate) await queryRows(client, text, []);
    },
    claim,
    sweep: async (limit) => (await queryRows(client, sql.sweep, [limit, retentionMs])).length,
  };
}
