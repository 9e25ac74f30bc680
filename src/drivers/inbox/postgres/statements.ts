import { plainTable } from "../../postgres.ts";

const COLUMNS = `i.dedupe_key, i.seq, i.tenant, i.provider, i.endpoint, i.event_id, i.action, i.revision, i.digest, i.body,
  i.headers, i.received_at_ms, i.state, i.deliveries, i.conflicts, i.takes, i.reason`;

/** `$n` milliseconds from now on the server's clock. */
const fromNow = (parameter: string) => `clock_timestamp() + ${parameter}::float8 * interval '1 millisecond'`;
/** Past its window, so that its key is as good as never used. Queued and dead entries never are. */
const isOver = (row: string) => `(${row}.state in ('done', 'superseded') and ${row}.expires_at <= clock_timestamp())`;

function migration(table: string): readonly string[] {
  const index = table.replace(".", "_");
  return [
    `create sequence if not exists ${table}_seq as bigint cache 1`,
    `create table if not exists ${table} (
      dedupe_key text primary key, seq bigint not null, stream text not null, tenant text not null,
      provider text not null, endpoint text not null, event_id text not null, action text not null, revision bigint,
      digest text not null, body bytea not null, headers text not null, received_at_ms float8 not null,
      state text not null, deliveries integer not null, conflicts integer not null, takes integer not null, reason text,
      available_at timestamptz not null, expires_at timestamptz not null)`,
    `create table if not exists ${table}_newest (
      stream text primary key, revision bigint not null, expires_at timestamptz not null)`,
    `create index if not exists ${index}_queued on ${table} (seq) where state = 'queued'`,
    `create index if not exists ${index}_stream on ${table} (stream, seq) where state = 'queued'`,
    `create index if not exists ${index}_dead on ${table} (seq) where state = 'dead'`,
    `create index if not exists ${index}_expiry on ${table} (expires_at) where state in ('done', 'superseded')`,
    `create index if not exists ${index}_newest_expiry on ${table}_newest (expires_at)`,
  ];
}

/**
 * Claims the key and queues the webhook in one statement, which is one transaction. The row of the newest revision
 * comes first: its lock lets the deliveries of one event pass one after another, so that `seq` grows with the revision.
 */
function acceptStatement(table: string): string {
  return `with raised as (
      insert into ${table}_newest as n (stream, revision, expires_at)
      select $2, $8::bigint, ${fromNow("$13")} where $8::bigint is not null
      on conflict (stream) do update set expires_at = greatest(n.expires_at, excluded.expires_at), revision =
        case when n.expires_at <= clock_timestamp() then excluded.revision else greatest(n.revision, excluded.revision) end
      returning n.revision
    ), newest as (select revision from raised union all select null::bigint where $8::bigint is null)
    insert into ${table} as i (dedupe_key, seq, stream, tenant, provider, endpoint, event_id, action, revision, digest,
      body, headers, received_at_ms, state, deliveries, conflicts, takes, available_at, expires_at)
    select $1, nextval('${table}_seq'), $2, $3, $4, $5, $6, $7, $8::bigint, $9, $10::bytea, $11, $12::float8,
      case when newest.revision > $8::bigint then 'superseded' else 'queued' end, 1, 0, 0, clock_timestamp(),
      ${fromNow("$13")}
    from newest
    on conflict (dedupe_key) do update set
      deliveries = i.deliveries + (i.digest = excluded.digest)::integer,
      conflicts = i.conflicts + (i.digest <> excluded.digest)::integer,
      expires_at = case when i.digest = excluded.digest and not ${isOver("i")}
        then greatest(i.expires_at, excluded.expires_at) else i.expires_at end
    returning i.state, i.digest = $9 as is_same, i.deliveries = 1 and i.conflicts = 0 as is_new, ${isOver("i")} as is_over`;
}

/** Every SQL statement of the inbox, for one table. Each is its own transaction. */
export function statementsFor(table: string) {
  plainTable(table);
  return {
    migrate: migration(table),
    accept: acceptStatement(table),
    /** Makes room for a key whose window is over. */
    forget: `delete from ${table} i where i.dedupe_key = $1 and ${isOver("i")} returning i.seq`,
    take: `with due as (
        select q.dedupe_key from ${table} q
        where q.state = 'queued' and q.available_at <= clock_timestamp() and not exists (
          select 1 from ${table} o where o.stream = q.stream and o.state = 'queued' and o.seq < q.seq)
        order by q.seq limit $1 for update skip locked)
      update ${table} i set takes = i.takes + 1, available_at = ${fromNow("$2")}
      from due where i.dedupe_key = due.dedupe_key returning ${COLUMNS}`,
    settle: `update ${table} i set
        state = case $3 when 'again' then 'queued' else $3 end,
        available_at = case $3 when 'again' then ${fromNow("$4")} else i.available_at end,
        body = case $3 when 'done' then ''::bytea else i.body end, reason = coalesce($5, i.reason)
      where i.dedupe_key = $1 and i.takes = $2 and (i.state = 'queued' or i.state = $3) returning i.seq`,
    read: `select ${COLUMNS} from ${table} i where i.dedupe_key = $1`,
    listDead: `select ${COLUMNS} from ${table} i where i.state = 'dead' order by i.seq limit $1`,
    revive: `update ${table} i set state = 'queued', available_at = clock_timestamp()
      where i.dedupe_key = $1 and i.state = 'dead' returning i.seq`,
    sweep: `delete from ${table} where dedupe_key in (
        select i.dedupe_key from ${table} i where ${isOver("i")} limit $1 for update skip locked) returning seq`,
    sweepNewest: `delete from ${table}_newest where stream in (
        select stream from ${table}_newest where expires_at <= clock_timestamp() limit $1 for update skip locked)
      returning stream`,
  } as const;
}
