import type { Clock } from "../../ports/clock.ts";
import type { AskPostgres } from "./postgres-notes.ts";

/** How often it is looked whether the writers of before have ended. */
const LOOK_EVERY_MS = 20;

/**
 * Waits until every transaction that writes to one of the relations now has ended: a place in the order is given out
 * before its transaction commits, so a low one can appear after a high one. Whoever writes holds this lock meanwhile.
 * @param relations a query of their oids
 * @source PostgreSQL documentation, "Explicit Locking" and the view pg_locks
 */
export async function untilWritersEnded(
  ask: AskPostgres,
  relations: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const held = `pg_locks where relation in (${relations}) and mode = 'RowExclusiveLock' and granted
    and database = (select oid from pg_database where datname = current_database())`;
  const writers = `select coalesce(array_agg(distinct virtualtransaction), '{}') as writers from ${held}`;
  const left = `select count(distinct virtualtransaction)::int as remaining from ${held}
    and virtualtransaction = any($1::text[])`;
  const [before] = await ask<{ writers: string[] }>(signal, writers, []);
  for (let remaining = before?.writers.length ?? 0; remaining > 0; ) {
    const [row] = await ask<{ remaining: number }>(signal, left, [before?.writers]);
    remaining = row?.remaining ?? 0;
    if (remaining > 0) await clock.sleep(LOOK_EVERY_MS, signal);
    signal.throwIfAborted();
  }
}
