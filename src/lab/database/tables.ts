/**
 * What the laboratory keeps of work with effects. Jobs are what users ordered; an effect is what became of one, and its
 * table refuses a lower fencing token than it has seen, as whatever effects change must. Each piece of work is one
 * statement: the database has one session, and a transaction that waits for its client would hold up everybody.
 */
export const WORK_TABLES = `
create table lab_job (id bigint generated always as identity primary key, is_queued boolean not null default false);
create index lab_job_waiting on lab_job (id) where not is_queued;
create table lab_effect (key text primary key, release text not null, token bigint not null, times int not null default 1);
create table lab_refusal (key text not null, release text not null, token bigint not null, seen bigint not null);
create table lab_fence (token bigint not null);
insert into lab_fence values (0);
create function lab_act(effect_key text, by_release text, by_token bigint) returns boolean language plpgsql as $$
declare found_token bigint;
begin
  update lab_fence set token = greatest(token, by_token) returning token into found_token;
  if by_token < found_token then
    insert into lab_refusal values (effect_key, by_release, by_token, found_token);
    return false;
  end if;
  insert into lab_effect (key, release, token) values (effect_key, by_release, by_token)
    on conflict (key) do update set times = lab_effect.times + 1;
  return true;
end $$;
create function lab_carry_out(messages jsonb, by_release text, by_token bigint) returns void language plpgsql as $$
declare message record;
begin
  for message in select * from jsonb_to_recordset(messages) as m
    (queue text, consumer text, epoch bigint, "position" bigint, body text)
  loop
    begin
      if lab_act(message.body, by_release, by_token) then
        update sluice_queue_message m set state = 'settled' where m.queue = message.queue
          and m.position = message.position and m.state = 'active' and m.consumer = message.consumer
          and m.epoch = message.epoch;
        if not found then raise exception using errcode = 'LAB01'; end if;
      end if;
    exception when sqlstate 'LAB01' then null;
    end;
  end loop;
end $$;
`;

/** What users ordered goes to a queue ($1), at most $2 jobs; both or neither, by one statement. */
export const PRODUCE = `
with taken as (
  update lab_job set is_queued = true where id in (
    select id from lab_job where not is_queued order by id limit $2 for update) returning id)
insert into sluice_queue_message (queue, body) select $1, 'job-' || id from taken order by id`;

/**
 * The effects of messages ($1) and their settling, each both or neither: an effect whose message was given to somebody
 * else meanwhile is rolled back, and what the store refuses stays unsettled. By release $2 with fencing token $3.
 */
export const CARRY_OUT = "select lab_carry_out($1::jsonb, $2, $3)";

/** One effect ($1) by release $2 with fencing token $3; false: the store has seen a higher one, and changed nothing. */
export const ACT = "select lab_act($1, $2, $3) as is_done";

/** What is known of all work at one moment. */
export const WORK_COUNTS = `
select (select count(*) from lab_job)::int as jobs,
  (select count(*) from lab_job where is_queued)::int as queued,
  (select count(*) from lab_effect where key like 'job-%')::int as done,
  (select count(*) from lab_effect where times > 1)::int as doubled,
  (select count(*) from lab_refusal)::int as refused,
  (select coalesce(json_object_agg(release, n), '{}') from (
    select release, count(*)::int as n from lab_effect group by release) by_release) as by_release`;

/**
 * A planted fault: public names that are moved and acknowledged at once, and that readers see moved only `lagMs` later,
 * as in a store whose catalogue is eventually consistent. The name begins where it is told, for everybody.
 */
export function laggingNames(lagMs: number, first: { readonly alias: string; readonly index: string }): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
  return `
create table lab_name_move (n bigint generated always as identity primary key, alias text not null,
  index_name text not null, epoch bigint not null, previous text, moved_at timestamptz not null,
  seen_at timestamptz not null);
create view sluice_index_alias as select distinct on (alias) alias, index_name, epoch, previous, moved_at
  from lab_name_move where seen_at <= clock_timestamp() order by alias, n desc;
create function lab_move_name() returns trigger language plpgsql as $$
begin
  insert into lab_name_move (alias, index_name, epoch, previous, moved_at, seen_at) values (new.alias, new.index_name,
    new.epoch, new.previous, clock_timestamp(), clock_timestamp() + ${lagMs} * interval '1 millisecond');
  return new;
end $$;
create trigger lab_moved instead of update on sluice_index_alias for each row execute function lab_move_name();
insert into lab_name_move (alias, index_name, epoch, moved_at, seen_at)
  values (${quoted(first.alias)}, ${quoted(first.index)}, 0, now(), now());
`;
}
