import { plainTable } from "../../postgres.ts";

/** Columns in the order every statement returns them; times are milliseconds of the server's clock. */
const COLUMNS = `f.scope, f.key, f.kind, f.state, f.fingerprint, f.attempt_id, f.token, f.beat,
  (extract(epoch from f.lease_until) * 1000)::float8 as lease_until_ms, f.effect_key, f.note, f.result,
  (extract(epoch from f.created_at) * 1000)::float8 as created_at_ms,
  (extract(epoch from f.expires_at) * 1000)::float8 as expires_at_ms`;

const NOW_MS = "(extract(epoch from clock_timestamp()) * 1000)::float8";
/** `$n` milliseconds from now on the server's clock. */
const fromNow = (parameter: string) => `clock_timestamp() + ${parameter}::float8 * interval '1 millisecond'`;

/**
 * Every SQL statement of the store, for one table. Tokens of work come from a sequence: `nextval` is never rolled back
 * and outlives every row, so a token cannot come twice. Leases count by one on rows that are never deleted.
 */
export function statementsFor(table: string) {
  plainTable(table);
  const sequence = `${table}_token`;
  const nextToken = `nextval('${sequence}')`;
  return {
    migrate: [
      `create sequence if not exists ${sequence} as bigint cache 1`,
      `create table if not exists ${table} (
        scope text not null, key text not null, kind text not null, state text not null, fingerprint text not null,
        attempt_id text not null, token bigint not null, beat integer not null, lease_until timestamptz not null,
        effect_key text, note text not null, result text, created_at timestamptz not null, expires_at timestamptz,
        primary key (scope, key))`,
      `create index if not exists ${table.replace(".", "_")}_expiry on ${table} (expires_at) where expires_at is not null`,
    ],
    /** Inserts the new keys and returns their tokens; a key that exists gives no row. Arrays in key order. */
    insert: `insert into ${table} as f (scope, key, kind, state, fingerprint, attempt_id, token, beat, lease_until,
        effect_key, note, created_at)
      select scope, key, kind, 'locked', fingerprint, attempt_id, case kind when 'lease' then 1 else ${nextToken} end, 0,
        ${fromNow("lease_ms")}, effect_key, note, clock_timestamp()
      from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::text[], $8::text[])
        as i (scope, key, kind, fingerprint, attempt_id, lease_ms, effect_key, note)
      on conflict do nothing returning scope, key, token`,
    /** The records of some keys and the server's time. */
    readMany: `select ${NOW_MS} as now_ms, ${COLUMNS}
      from unnest($1::text[], $2::text[]) as i (scope, key) join ${table} f on f.scope = i.scope and f.key = i.key`,
    /** Grants an existing key if it is still the version that was read. */
    regrant: `update ${table} f set kind = $6, state = 'locked', fingerprint = $7, attempt_id = $8,
        token = case when $6 = 'lease' then f.token + 1 else ${nextToken} end, beat = 0, lease_until = ${fromNow("$9")},
        effect_key = $10, note = $11, result = null, created_at = clock_timestamp(), expires_at = null
      where f.scope = $1 and f.key = $2 and f.state = $3 and f.token = $4 and f.beat = $5 returning f.token`,
    markUnknown: `update ${table} f set state = 'unknown'
      where f.scope = $1 and f.key = $2 and f.state = $3 and f.token = $4 and f.beat = $5 returning f.token`,
    /** Writes results where the owner still is the owner; every other key gives no row and is read afterwards. */
    complete: `update ${table} f set state = 'done', result = i.result, expires_at = ${fromNow("i.retention_ms")}
      from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::float8[])
        as i (scope, key, attempt_id, token, result, retention_ms)
      where f.scope = i.scope and f.key = i.key and f.attempt_id = i.attempt_id and f.token = i.token
        and f.state in ('locked', 'unknown')
      returning f.scope, f.key`,
    renew: `update ${table} f set beat = beat + 1, lease_until = ${fromNow("$5")}, note = coalesce($6, note)
      where scope = $1 and key = $2 and attempt_id = $3 and token = $4 and state = 'locked' returning f.token`,
    releaseWork: `delete from ${table} f
      where scope = $1 and key = $2 and attempt_id = $3 and token = $4 and state = 'locked' and kind = 'work' returning f.token`,
    releaseLease: `update ${table} f set state = 'free', beat = beat + 1
      where scope = $1 and key = $2 and attempt_id = $3 and token = $4 and state = 'locked' and kind = 'lease'
      returning f.token`,
    settleDone: `update ${table} f set state = 'done', attempt_id = $4, result = $5, expires_at = ${fromNow("$6")}
      where scope = $1 and key = $2 and token = $3 and state = 'unknown' returning f.token`,
    settleRunAgain: `delete from ${table} f
      where scope = $1 and key = $2 and token = $3 and state = 'unknown' returning f.token`,
    sweep: `delete from ${table} where (scope, key) in (
        select scope, key from ${table} where state = 'done' and kind = 'work' and expires_at <= clock_timestamp()
        limit $1 for update skip locked) returning token`,
    /** After a restore from a backup: above every token that was ever handed out. @source reliability.md, Leases */
    jumpSequence: `select setval('${sequence}', (select last_value from ${sequence}) + 4294967296)`,
    jumpLeases: `update ${table} set token = token + 4294967296, beat = beat + 1 where kind = 'lease'`,
  } as const;
}

export type Statements = ReturnType<typeof statementsFor>;
