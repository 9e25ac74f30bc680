/**
 * Statements that bring an empty database to the current shape, in order. One SQL dialect: the same set runs on
 * PostgreSQL. A published step is never edited; a change is a new step. Documents are `json`, not `jsonb`, because
 * `jsonb` reorders keys and reports are compared byte by byte.
 */
export const MIGRATIONS: readonly string[] = [
  `create table rollouts (
     id text primary key,
     service text not null,
     version integer not null,
     created_at bigint not null,
     rollout json not null,
     observations json not null
   )`,
  `create table journal (
     rollout_id text not null,
     entry_index integer not null,
     entry json not null,
     primary key (rollout_id, entry_index)
   )`,
  `create table documents (
     service text primary key,
     epoch bigint not null,
     seq bigint not null,
     effect_id text not null,
     document json not null
   )`,
  `create table probe_reports (
     rollout_id text not null,
     effect_id text not null,
     stored_order integer generated always as identity,
     report json not null,
     primary key (rollout_id, effect_id)
   )`,
  `create table answers (
     key text primary key,
     fingerprint text not null,
     status integer not null,
     body text not null
   )`,
  `create table service_hours (
     service text not null,
     hour integer not null,
     requests bigint not null,
     primary key (service, hour)
   )`,
  `create table pointers (
     service text not null,
     region text not null,
     version integer not null,
     move json not null,
     primary key (service, region, version)
   )`,
  `create table ownership (
     one integer primary key check (one = 1),
     store text not null,
     owner bigint not null,
     announced_ms bigint not null
   )`,
  `create table planes (
     service text not null,
     plane_id text not null,
     plane json not null,
     primary key (service, plane_id)
   )`,
  `create table tokens (
     hash text primary key,
     stored_order integer generated always as identity,
     token json not null
   )`,
  `create table unit_evidence (
     rollout_id text primary key,
     generation integer not null,
     attempt integer not null,
     evidence json not null
   )`,
  "alter table ownership add column epoch_floor bigint not null default 0",
  // The plan by itself, because it is written once; and what changed since the rest was written whole.
  "alter table rollouts add column plan json",
  `update rollouts set plan = rollout -> 'plan', rollout =
     (select json_object_agg(member.key, member.value) from json_each(rollout) member where member.key <> 'plan')`,
  "alter table rollouts alter column plan set not null",
  `create table rollout_changes (
     rollout_id text not null,
     version integer not null,
     change json not null,
     primary key (rollout_id, version)
   )`,
  // Packed beside its row: a change is too short for a place of its own, which would cost another row and its index.
  "alter table rollout_changes alter column change set storage main",
  `create table pruned_rollouts (
     rollout_id text primary key,
     pruned json not null
   )`,
  // Who took the store, whether it lives, and whether it gave the store up.
  `alter table ownership add column holder text not null default '', add column holder_name text not null default '',
     add column beat bigint not null default 0, add column is_released boolean not null default false`,
  `create table processes (
     id text primary key,
     kind text not null,
     service text not null,
     schema integer not null,
     version integer not null,
     created_at bigint not null,
     state json not null
   )`,
  `create table process_journal (
     process_id text not null,
     entry_index integer not null,
     entry json not null,
     primary key (process_id, entry_index)
   )`,
  `create table grants (
     service text primary key,
     version integer not null,
     "grant" json not null
   )`,
  // A change is packed by who writes it (`packed.ts`): the server would leave one of less than 2 kB as it is.
  `alter table rollout_changes alter column change drop not null, add column packed bytea,
     add constraint one_of check ((change is null) <> (packed is null))`,
  // What is told of a rollout that is over without reading it; null while it runs, or where an older version ended it.
  "alter table rollouts add column ended json",
  // Only its version changes with most commits: what is long is kept beside the row, which then fits into its page.
  "alter table rollouts set (toast_tuple_target = 128, fillfactor = 50)",
  "create index rollouts_ended on rollouts (service) where ended is not null",
  "create index rollouts_unended on rollouts (id) where ended is null",
];
