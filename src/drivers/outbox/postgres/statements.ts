import { plainTable } from "./client.ts";

/** `$n` milliseconds from now on the server's clock. */
export const fromNow = (parameter: string) => `clock_timestamp() + ${parameter}::float8 * interval '1 millisecond'`;
/** Milliseconds of the server's clock. */
const epochMs = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;

/** Set for the rest of a transaction, and gone with the statement where there is none. */
export const MARK_TRANSACTION = "set_config('sluice.transaction', 'open', true)";
/** True only in the transaction that ran MARK_TRANSACTION in an earlier statement. */
export const IN_TRANSACTION = "current_setting('sluice.transaction', true) = 'open'";

const EVENT = "o.id::text, o.effect_key, o.topic, o.order_key, o.payload, o.is_bytes, o.headers";
/** The claim `$1` owner, id and token of which still own the row. */
const OWNED = "o.id = i.id and o.locked_by = $1 and o.token = i.token";
const CLAIMS = "unnest($2::bigint[], $3::bigint[]) as i (id, token)";
const ONE = "o.id = $2::bigint and o.locked_by = $1 and o.token = $3::bigint";

/** Rows that are due of which a claim looks at least at so many. */
const WINDOW_MIN = 100;
/**
 * Rows behind an older one are woken when that one is settled. Should they miss it (committed and parked in the very
 * moment of the mark), they are looked at again after as long as they have waited.
 */
const PARKED_UNTIL =
  "clock_timestamp() + least(greatest(clock_timestamp() - o.created_at, interval '5 seconds'), interval '5 minutes')";

/**
 * Every statement of the outbox, for one table. A row is due at `due_at`: when it may be claimed first, when it may be
 * tried again, or when its claim ends.
 */
export function statementsFor(table: string) {
  plainTable(table);
  const [epoch, prefix] = [`${table}_epoch`, table.replace(".", "_")];
  /**
   * An update after which a row is out of the way: the next one of its order key becomes due at once. That one is
   * written even when it was due, so that a claim that still saw it behind the older row does not park it.
   */
  const settling = (update: string) => `with settled as (${update} returning o.id, o.topic, o.order_key), next as (
      select (select y.id from ${table} y where y.topic = s.topic and y.order_key = s.order_key and y.id > s.id
        and y.state = 'waiting' order by y.id limit 1) as id from settled s where s.order_key is not null
    ), woken as (
      update ${table} o set parked = false, due_at = clock_timestamp() from next
      where o.id = next.id and o.state = 'waiting' and (o.parked or o.due_at <= clock_timestamp()))
    select id::text from settled`;
  return {
    migrate: [
      `create table if not exists ${table} (
        id bigint generated always as identity primary key, effect_key text not null unique, topic text not null,
        order_key text, payload text not null, is_bytes boolean not null, headers text not null, state text not null,
        due_at timestamptz not null, parked boolean not null default false, locked_by text, epoch bigint not null default 0, token bigint not null default 0,
        tries integer not null default 0, doubtful boolean not null default false, because text,
        error text not null default '', created_at timestamptz not null, settled_at timestamptz)`,
      `create index if not exists ${prefix}_due on ${table} (due_at, id) where state in ('waiting', 'claimed')`,
      `create index if not exists ${prefix}_order on ${table} (topic, order_key, id)
        where order_key is not null and state <> 'sent'`,
      `create index if not exists ${prefix}_sent on ${table} (settled_at) where state = 'sent'`,
      `create index if not exists ${prefix}_dead on ${table} (id) where state = 'dead'`,
      `create table if not exists ${epoch} (one boolean primary key check (one), epoch bigint not null)`,
    ],
    /**
     * Marks the transaction and makes writers of one order key wait for each other's commit, so that ids are in commit
     * order within an order key. The locks are taken in one order and end with the transaction.
     */
    enter: `select ${MARK_TRANSACTION}, (select count(pg_advisory_xact_lock(k)) from (
        select distinct hashtextextended(place, 0) as k from unnest($1::text[]) as place order by k) as keys)`,
    add: `insert into ${table} (effect_key, topic, order_key, payload, is_bytes, headers, state, due_at, created_at)
      select effect_key, topic, order_key, payload, is_bytes, headers, 'waiting',
        coalesce(to_timestamp(not_before_ms / 1000), clock_timestamp()), clock_timestamp()
      from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::float8[])
        with ordinality as i (effect_key, topic, order_key, payload, is_bytes, headers, not_before_ms, place)
      where ${IN_TRANSACTION} order by place
      on conflict do nothing returning effect_key`,
    /** The rows given that were there before, one answer for each. */
    compare: `select i.effect_key, (o.topic = i.topic and o.order_key is not distinct from i.order_key
        and o.payload = i.payload and o.is_bytes = i.is_bytes) as is_same
      from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[])
        with ordinality as i (effect_key, topic, order_key, payload, is_bytes, place)
      join ${table} o on o.effect_key = i.effect_key order by i.place`,
    raiseEpoch: `insert into ${epoch} as e (one, epoch) values (true, $1::bigint)
      on conflict (one) do update set epoch = excluded.epoch where e.epoch < excluded.epoch`,
    readEpoch: `select epoch::text from ${epoch}`,
    /**
     * One row at least comes back; without `fence_epoch` a newer epoch has claimed. The share lock makes a claim and a
     * newer epoch's first claim one after the other. Of the rows that are due only a window is looked at: those behind
     * an older row of their order key are parked, so that a long line costs its length once and not at every claim.
     */
    claim: `with fence as materialized (
        select epoch from ${epoch} where epoch <= $2::bigint for share
      ), seen as materialized (
        select o.id, o.state, o.due_at, o.order_key is null or not exists (
            select from ${table} older where older.topic = o.topic and older.order_key = o.order_key
              and older.id < o.id and older.state <> 'sent' and (older.state <> 'dead' or $5::boolean)) as is_head
        from ${table} o
        where exists (select from fence) and o.state in ('waiting', 'claimed') and o.due_at <= statement_timestamp()
        order by o.due_at, o.id limit greatest($4::integer * 4, ${WINDOW_MIN})
      ), picked as materialized (
        select o.id, o.state from ${table} o join seen s on s.id = o.id
        where s.is_head and o.state in ('waiting', 'claimed') and o.due_at <= statement_timestamp()
        order by s.due_at, o.id limit $4::integer for update of o skip locked
      ), behind as materialized (
        select o.id from ${table} o join seen s on s.id = o.id
        where not s.is_head and o.state = 'waiting' and o.due_at = s.due_at for update of o skip locked
      ), parked as (
        update ${table} o set parked = true, due_at = ${PARKED_UNTIL} from behind b where o.id = b.id returning o.id
      ), claimed as (
        update ${table} o set state = 'claimed', locked_by = $1, epoch = $2::bigint, token = o.token + 1, parked = false,
          tries = o.tries + 1, doubtful = o.doubtful or p.state = 'claimed', due_at = ${fromNow("$3")}
        from picked p where o.id = p.id
        returning o.id as place, ${EVENT}, o.token::text, o.tries, o.doubtful)
      select (select epoch::text from fence) as fence_epoch, (select count(*)::integer from parked) as parked_rows, c.*
      from (select 1) one left join claimed c on true order by c.place`,
    markSent: settling(`update ${table} o set state = 'sent', error = '',
        settled_at = coalesce(o.settled_at, clock_timestamp())
      from ${CLAIMS} where ${OWNED} and o.state in ('claimed', 'sent')`),
    markFailed: `update ${table} o set state = 'waiting', error = $4, due_at = ${fromNow("$5")}
      where ${ONE} and o.state in ('claimed', 'waiting') returning o.id::text`,
    markDead: settling(`update ${table} o set state = 'dead', because = $4, error = $5, settled_at = clock_timestamp()
      where ${ONE} and o.state in ('claimed', 'dead')`),
    release: `update ${table} o set state = 'waiting', tries = o.tries - 1, due_at = clock_timestamp()
      from ${CLAIMS} where ${OWNED} and o.state = 'claimed' returning o.id::text`,
    deadLetters: `select ${EVENT}, o.tries, o.because, o.error, ${epochMs("o.settled_at")} as died_at_ms
      from ${table} o where o.state = 'dead' order by o.id limit $1`,
    replay: `update ${table} o set state = 'waiting', tries = 0, doubtful = false, because = null, locked_by = null,
        settled_at = null, due_at = clock_timestamp()
      where o.effect_key = $1 and o.state = 'dead' returning o.id::text`,
    settle:
      settling(`update ${table} o set state = 'sent', because = null, locked_by = $2, settled_at = clock_timestamp()
      where o.effect_key = $1 and o.state = 'dead'`),
    counts: `select count(*) filter (where state = 'waiting')::integer as waiting,
        count(*) filter (where state = 'claimed')::integer as claimed, count(*) filter (where state = 'sent')::integer as sent,
        count(*) filter (where state = 'dead')::integer as dead,
        (extract(epoch from clock_timestamp() - min(created_at) filter (where state in ('waiting', 'claimed')))
          * 1000)::float8 as oldest_unsent_ms from ${table}`,
    sweep: `delete from ${table} where id in (
        select id from ${table} where state = 'sent' and settled_at <= ${fromNow("-$2")}
        limit $1 for update skip locked) returning id`,
  } as const;
}

export type Statements = ReturnType<typeof statementsFor>;
