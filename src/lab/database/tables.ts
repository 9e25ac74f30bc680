/**
 * What the laboratory keeps of work with effects. Jobs are what users ordered; an effect is what became of one, and its
 * table refuses a lower fencing token than it has seen, as whatever effects change must.
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
`;

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
