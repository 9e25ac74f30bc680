import type { Observations } from "../../../core/observe/observations.ts";
import { readState, type RolloutState, type StoredState } from "../../../core/rollout/stored-form.ts";
import type { RolloutPlan } from "../../../core/stage/plan.ts";
import type { EpochMs } from "../../../core/unit.ts";
import type { Change, StoredRollout } from "../../../ports/controller-store.ts";
import { known, one, type SqlClient } from "./client.ts";
import { changeBetween, changed, type JsonChange } from "./json-change.ts";

/** After so many changes a rollout is written whole: about a minute of one gateway's windows to read at a start. */
const CHANGES_MAX = 256;

/** What a change is told of. */
interface Whole {
  readonly rollout: RolloutState;
  readonly observations: Observations;
}

interface Written {
  readonly version: number;
  readonly plan: RolloutPlan;
  readonly createdAt: EpochMs;
  readonly whole: Whole;
  /** Since it was written whole. */
  readonly changes: number;
}

/** A row of the statement below. */
export interface RolloutRow {
  readonly rollout: StoredState;
  readonly observations: Observations;
  readonly version: number;
  readonly created_at: number | string;
  readonly plan: RolloutPlan;
  readonly changes: readonly JsonChange[] | null;
}

/**
 * Rollouts in a database: the plan once a generation, state and observations whole now and then, and in between only
 * what a commit changed. What was written last is remembered to tell the difference; a rollout that this process has
 * not written yet is written whole.
 */
export class RolloutRows {
  readonly #written = new Map<string, Written>();

  /**
   * Writes inside a transaction. @throws Stale when the stored version is not the expected one
   * @returns what to call once the transaction is committed
   */
  async write(client: SqlClient, { expectedVersion, next }: NonNullable<Change["rollout"]>): Promise<() => void> {
    const { version, createdAt, observations } = next;
    const { plan, ...rollout } = next.rollout;
    const whole = { rollout, observations };
    const found = this.#written.get(plan.rolloutId);
    const last = found?.version === expectedVersion && found.plan === plan ? found : null;
    let changes = 0;
    if (expectedVersion === null) await insertWhole(client, next, whole);
    else if (last !== null && last.changes < CHANGES_MAX && last.createdAt === createdAt) {
      await insertChange(client, expectedVersion, next, changeBetween(last.whole, whole) ?? {});
      changes = last.changes + 1;
    } else await updateWhole(client, expectedVersion, next, whole, last !== null);
    return () => this.#written.set(plan.rolloutId, { version, plan, createdAt, whole, changes });
  }

  /** Removes a rollout and all that is stored of it, inside a transaction; what stays says which it was. */
  async prune(client: SqlClient, { expectedVersion, left }: NonNullable<Change["pruned"]>): Promise<void> {
    const { rolloutId } = left;
    await one(client, "delete from rollouts where id = $1 and version = $2", [rolloutId, expectedVersion]);
    for (const table of ["rollout_changes", "journal", "probe_reports", "unit_evidence"])
      await client.query(`delete from ${table} where rollout_id = $1`, [rolloutId]);
    const upsert = `insert into pruned_rollouts (rollout_id, pruned) values ($1, $2)
      on conflict (rollout_id) do update set pruned = excluded.pruned`;
    await client.query(upsert, [rolloutId, JSON.stringify(left)]);
    this.#written.delete(rolloutId);
  }
}

async function insertWhole(client: SqlClient, next: StoredRollout, whole: Whole): Promise<void> {
  const { version, createdAt, rollout } = next;
  const { rolloutId, service } = rollout.plan;
  const insert = `insert into rollouts (id, service, version, created_at, rollout, observations, plan)
    values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`;
  await one(client, insert, [rolloutId, service, version, createdAt, ...textsOf(whole), JSON.stringify(rollout.plan)]);
}

async function updateWhole(
  client: SqlClient,
  expectedVersion: number,
  next: StoredRollout,
  whole: Whole,
  isPlanWritten: boolean,
): Promise<void> {
  const { version, createdAt, rollout } = next;
  const { rolloutId, service } = rollout.plan;
  const update = `update rollouts set version = $3, created_at = $4, rollout = $5, observations = $6, service = $7
    ${isPlanWritten ? "" : ", plan = $8"} where id = $1 and version = $2`;
  const plan = isPlanWritten ? [] : [JSON.stringify(rollout.plan)];
  await one(client, update, [rolloutId, expectedVersion, version, createdAt, ...textsOf(whole), service, ...plan]);
  await client.query("delete from rollout_changes where rollout_id = $1", [rolloutId]);
}

/** The version in the rollout's own row is what two writers meet at. */
async function insertChange(
  client: SqlClient,
  expectedVersion: number,
  { rollout, version }: StoredRollout,
  change: JsonChange,
): Promise<void> {
  const { rolloutId } = rollout.plan;
  const update = "update rollouts set version = $3 where id = $1 and version = $2";
  await one(client, update, [rolloutId, expectedVersion, version]);
  const insert = "insert into rollout_changes (rollout_id, version, change) values ($1, $2, $3)";
  await client.query(insert, [rolloutId, version, JSON.stringify(change)]);
}

function textsOf({ rollout, observations }: Whole): readonly string[] {
  return [JSON.stringify(rollout), JSON.stringify(observations)];
}

/** Reads every rollout as of one moment. */
export const SELECT_ROLLOUTS = `select version, created_at, plan, rollout, observations,
  (select json_agg(change order by c.version) from rollout_changes c where rollout_id = id) as changes
  from rollouts order by created_at, id`;

/** A rollout as it was committed last. */
export function rolloutOf(row: RolloutRow): StoredRollout {
  const { version, created_at, plan, rollout, observations, changes } = row;
  const whole = (changes ?? []).reduce<unknown>(changed, { rollout, observations }) as Pick<
    RolloutRow,
    "rollout" | "observations"
  >;
  return {
    rollout: { plan, ...known(readState(plan.rolloutId, whole.rollout)) },
    observations: whole.observations,
    version,
    createdAt: Number(created_at) as EpochMs,
  };
}
