import { plainTable } from "../../postgres.ts";
import { noteTables, startStatement, stopStatement } from "../postgres-notes.ts";

/**
 * Every statement of the driver, on pg-boss's own table of jobs. Not settled are `created`, `retry` and `active`; a new
 * job whose time has not come (`start_after`) is not there yet, one that is to be tried again is.
 * @source pg-boss 12.38 dist/plans.js: createTableJob, fetchNextJob
 */
export function statementsFor(schema: string, prefix: string) {
  const [job, queue] = [plainTable(`${schema}.job`), plainTable(`${schema}.queue`)];
  const { consumer, pointer } = noteTables(prefix);
  const open = `name = $1 and state <= 'active' and (state <> 'created' or start_after <= clock_timestamp())`;
  const place = `(extract(epoch from created_on) * 1000000)::bigint || '/' || id`;
  return {
    pointer,
    /** Oids of the relations that producers write to: the table, and its partitions. */
    relations: `select '${job}'::regclass::oid union select inhrelid from pg_inherits where inhparent = '${job}'::regclass`,
    end: `select ${place} as place from ${job} where ${open} order by created_on desc, id desc limit 1`,
    progress: `select first.place, counted.in_flight, counted.waiting,
        (extract(epoch from clock_timestamp()) * 1000000)::bigint::text as now_us
      from (select count(*) filter (where state = 'active')::int as in_flight,
          count(*) filter (where state <> 'active')::int as waiting, min(created_on) as made
        from ${job} where ${open}) counted
      left join lateral (select ${place} as place from ${job}
        where ${open} and created_on = counted.made order by id limit 1) first on true
      where exists (select from ${consumer} where queue = $1 and consumer = $2)
        or exists (select from ${queue} where name = $1)`,
    stop: stopStatement(consumer),
    start: startStatement(
      consumer,
      `released as (
        update ${job} set state = 'retry' where name = $1 and state = 'active' and exists (select from moved))`,
    ),
  } as const;
}
