import { plainTable } from "../../postgres.ts";
import { noteTables, startStatement } from "../postgres-notes.ts";

/** Every statement of the driver and of its workers, for tables whose names begin with `prefix`. */
export function statementsFor(prefix: string) {
  const of = (what: string) => plainTable(`${prefix}_${what}`);
  const message = of("message");
  const { consumer, pointer, migrate } = noteTables(prefix);
  const plain = prefix.replace(".", "_");
  return {
    migrate: [
      `create table if not exists ${message} (
        position bigint generated always as identity primary key,
        queue text not null,
        body text not null,
        state text not null default 'waiting' check (state in ('waiting', 'active', 'settled')),
        consumer text,
        epoch bigint)`,
      `create index if not exists ${plain}_of on ${message} (queue, position)`,
      `create index if not exists ${plain}_open on ${message} (queue, position) where state in ('waiting', 'active')`,
      ...migrate,
    ],
    ...drainStatements(message, consumer),
    ...moveStatements(message, consumer),
    /** Oid of the relation that producers write to. */
    table: `'${message}'::regclass`,
    pointer,
    ...workStatements(message, consumer),
  };
}

function drainStatements(message: string, consumer: string) {
  return {
    end: `select coalesce(max(position), 0)::text as position from ${message} where queue = $1`,
    progress: `select
        coalesce(
          (select min(position) - 1 from ${message} where queue = $1 and state in ('waiting', 'active')),
          (select max(position) from ${message} where queue = $1), 0)::text as settled,
        (select count(*)::int from ${message} where queue = $1 and state = 'active') as in_flight,
        (select count(*)::int from ${message} where queue = $1 and state = 'waiting') as waiting
      from ${consumer} where queue = $1 and consumer = $2`,
  };
}

/** Both tell whether they took hold and, if not, which epoch is there. Who is not there is not stopped. */
function moveStatements(message: string, consumer: string) {
  const seen = `(select epoch::text from ${consumer} where queue = $1 and consumer = $2) as seen`;
  return {
    stop: `with moved as (
        update ${consumer} set is_running = false, epoch = $3 where queue = $1 and consumer = $2
          and (epoch < $3 or (epoch = $3 and not is_running)) returning 1)
      select (select count(*)::int from moved) as moved, ${seen}`,
    start: startStatement(
      consumer,
      `released as (
        update ${message} set state = 'waiting', consumer = null, epoch = null
        where queue = $1 and state = 'active' and exists (select from moved))`,
    ),
  };
}

/**
 * What producers and workers send. Taking holds the consumer's row, so that a stop waits for takers that are under way,
 * and those after it find their consumer stopped.
 */
function workStatements(message: string, consumer: string) {
  return {
    produce: `insert into ${message} (queue, body) select $1, body from unnest($2::text[]) with ordinality as b (body, n)
      order by n`,
    take: `with running as materialized (
        select epoch from ${consumer} where queue = $1 and consumer = $2 and is_running for share),
      next as (
        select position from ${message} where queue = $1 and state = 'waiting' and exists (select from running)
        order by position limit $3 for update skip locked)
      update ${message} m set state = 'active', consumer = $2, epoch = (select epoch from running)
      from next where m.position = next.position
      returning m.position::text as position, m.body as body, m.epoch::text as epoch`,
    settle: `update ${message} set state = 'settled'
      where queue = $1 and position = $4 and state = 'active' and consumer = $2 and epoch = $3
      returning 1 as settled`,
  };
}
