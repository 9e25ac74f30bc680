import type { QueueDriver } from "../../ports/queue.ts";
import { untilAborted } from "../abortable.ts";
import { plainTable, type PostgresClient, postgresQueries } from "../postgres.ts";
import type { NoteAnswer } from "./consumer-note.ts";
import { decodePointer, encodePointer } from "./pointer-text.ts";

/** Sends one statement and lets go when the signal aborts. */
export type AskPostgres = <Row>(signal: AbortSignal, text: string, values: unknown[]) => Promise<readonly Row[]>;

/** Tables of ours beside a product's own: the pointer, and which epoch started or stopped each consumer. */
export function noteTables(prefix: string) {
  const [consumer, pointer] = [plainTable(`${prefix}_consumer`), plainTable(`${prefix}_pointer`)];
  return {
    consumer,
    pointer,
    migrate: [
      `create table if not exists ${consumer} (
        queue text not null,
        consumer text not null,
        is_running boolean not null,
        epoch bigint not null,
        primary key (queue, consumer))`,
      `create table if not exists ${pointer} (
        name text primary key, epoch bigint not null, step integer not null, record text not null)`,
    ],
  } as const;
}

/**
 * A start ($1 queue, $2 consumer, $3 epoch) that takes hold once, with `then`: more common table expressions, which may
 * ask whether `moved` has a row. Answers in one row: `moved`, and `seen`, the epoch that was there before.
 */
export function startStatement(consumer: string, then = ""): string {
  return `with moved as (
      insert into ${consumer} as c (queue, consumer, is_running, epoch) values ($1, $2, true, $3)
      on conflict (queue, consumer) do update set is_running = true, epoch = excluded.epoch
      where c.epoch < excluded.epoch or (c.epoch = excluded.epoch and not c.is_running)
      returning 1)${then === "" ? "" : `, ${then}`}
    select (select count(*)::int from moved) as moved, ${seen(consumer)}`;
}

/** A stop, alike; one of a consumer that nobody has noted is noted. */
export function stopStatement(consumer: string): string {
  return `with moved as (
      insert into ${consumer} as c (queue, consumer, is_running, epoch) values ($1, $2, false, $3)
      on conflict (queue, consumer) do update set is_running = false, epoch = excluded.epoch
      where c.epoch < excluded.epoch or (c.epoch = excluded.epoch and not c.is_running)
      returning 1)
    select (select count(*)::int from moved) as moved, ${seen(consumer)}`;
}

const seen = (consumer: string) => `(select epoch::text from ${consumer} where queue = $1 and consumer = $2) as seen`;

interface NoteRow {
  readonly moved: number;
  readonly seen: string | null;
}

/**
 * Sends a start or a stop. A row that somebody else made after our statement began is in nobody's answer, so then it is
 * sent again. @param values queue, consumer, epoch, and whatever the statement takes beside them
 */
export async function noteConsumer(
  ask: AskPostgres,
  what: "start" | "stop",
  text: string,
  values: readonly [queue: string, consumer: string, epoch: number, ...more: string[]],
  signal: AbortSignal,
): Promise<NoteAnswer> {
  for (;;) {
    const [row] = await ask<NoteRow>(signal, text, [...values]);
    if (row?.moved === 1) return { kind: "noted" };
    if (row === undefined || row.seen === null) continue;
    const isSame = what === "start" && Number(row.seen) === values[2];
    return isSame ? { kind: "same" } : { kind: "late", epoch: Number(row.seen) };
  }
}

/**
 * Asks PostgreSQL, and makes our tables before the first statement where they are missing: of a product with tables of
 * its own nobody deploys ours.
 */
export function askWithNotes(driver: string, client: PostgresClient, prefix: string): AskPostgres {
  const { queryRows } = postgresQueries(driver);
  const { consumer, pointer, migrate } = noteTables(prefix);
  const isThere = "select to_regclass($1) is not null and to_regclass($2) is not null as there";
  let made: Promise<void> | null = null;
  const make = async () => {
    const [row] = await queryRows<{ there: boolean }>(client, isThere, [consumer, pointer]);
    if (row?.there !== true) for (const text of migrate) await queryRows(client, text, []);
  };
  return (signal, text, values) =>
    untilAborted(signal, async () => {
      made ??= make().catch((error: unknown) => {
        made = null;
        throw error;
      });
      await made;
      return queryRows(client, text, values);
    });
}

/** The pointer's record in a row; compare-and-set is one statement. */
export function postgresPointer(
  driver: string,
  ask: AskPostgres,
  table: string,
): Pick<QueueDriver, "readPointer" | "movePointer"> {
  const move = `insert into ${table} as p (name, epoch, step, record) values ($1, $2, $3, $4)
    on conflict (name) do update set epoch = excluded.epoch, step = excluded.step, record = excluded.record
    where (p.epoch, p.step) < (excluded.epoch, excluded.step) or p.record = excluded.record
    returning 1 as moved`;
  const readPointer: QueueDriver["readPointer"] = async (pointer, signal) => {
    const [row] = await ask<{ record: string }>(signal, `select record from ${table} where name = $1`, [pointer]);
    return row === undefined ? null : decodePointer(driver, row.record);
  };
  return {
    readPointer,
    async movePointer(pointer, next, signal) {
      const moved = await ask(signal, move, [pointer, next.epoch, next.step, encodePointer(next)]);
      return moved.length === 1 ? { kind: "moved" } : { kind: "refused", found: await readPointer(pointer, signal) };
    },
  };
}
