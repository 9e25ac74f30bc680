import type { CacheDriver } from "../../../ports/cache.ts";
import type { Clock } from "../../../ports/clock.ts";
import { untilAborted } from "../../abortable.ts";
import { type PostgresClient, plainTable, postgresQueries } from "../../postgres.ts";

export interface PostgresCacheConfig {
  readonly client: PostgresClient;
  readonly clock: Clock;
  /** Plain lower-case name, optionally with a schema. */
  readonly table?: string;
  /** Pause after each round of at most `ROUND_KEYS` keys, so that the database serves users meanwhile. Default 5. */
  readonly pauseMs?: number;
  /** Ends the client, where it belongs to the driver. */
  readonly close?: () => Promise<void>;
}

export interface PostgresCache extends CacheDriver {
  /** Creates the table where it is missing. Idempotent; run it at deployment, not per process. */
  migrate(): Promise<void>;
}

const NAME = "cache/postgres";
/** Rows that are removed by one statement. */
const ROUND_KEYS = 500;
const { queryRows } = postgresQueries(NAME);

/** `key` is collated by its bytes, so that its index finds the keys of a namespace. */
function statementsFor(table: string) {
  return {
    migrate: `create unlogged table if not exists ${table} (
      key text collate "C" primary key, written_by text, question text, asked bigint not null default 0, answer jsonb)`,
    purgeKeys: `delete from ${table} where key = any($1::text[]) returning 1 as removed`,
    purgeSome: `delete from ${table} where key in (
      select key from ${table} where starts_with(key, $1) limit $2 for update skip locked) returning 1 as removed`,
    read: `select written_by, question from ${table} where key = $1`,
    top: `select key from ${table} where starts_with(key, $1) order by asked desc, key limit $2`,
  };
}

interface Entry {
  readonly written_by: string | null;
  readonly question: string | null;
}

/** Answers in a table of PostgreSQL 13 or newer, under a prefix for each arm. */
export function postgresCache(config: PostgresCacheConfig): PostgresCache {
  const { client, clock, table = "sluice_answer_cache", pauseMs = 5, close } = config;
  const sql = statementsFor(plainTable(table));
  const ask = <Row>(signal: AbortSignal, text: string, values: unknown[]) =>
    untilAborted(signal, () => queryRows<Row>(client, text, values));
  const purgeAll = async (namespace: string, signal: AbortSignal): Promise<number> => {
    for (let removed = 0; ; ) {
      const round = (await ask(signal, sql.purgeSome, [namespace, ROUND_KEYS])).length;
      removed += round;
      if (round < ROUND_KEYS) return removed;
      await clock.sleep(pauseMs, signal);
      signal.throwIfAborted();
    }
  };
  return {
    name: NAME,
    can: { purgeNamespace: true, list: true, immediate: true },
    async migrate() {
      await queryRows(client, sql.migrate, []);
    },
    async purge(namespace, keys, signal) {
      if (keys === null) return purgeAll(namespace, signal);
      const whole = keys.map((key) => namespace + key);
      return (await ask(signal, sql.purgeKeys, [whole])).length;
    },
    async read(namespace, key, signal) {
      const [row] = await ask<Entry>(signal, sql.read, [namespace + key]);
      return row === undefined ? null : { writtenBy: row.written_by, question: row.question };
    },
    async topKeys(namespace, limit, signal) {
      const rows = await ask<{ readonly key: string }>(signal, sql.top, [namespace, limit]);
      return rows.map(({ key }) => key.slice(namespace.length));
    },
    close: async () => close?.(),
  };
}
