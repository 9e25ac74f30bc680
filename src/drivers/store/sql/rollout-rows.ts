import type { Observations } from "../../../core/observe/observations.ts";
import { readState, type RolloutState, type StoredState } from "../../../core/rollout/stored-form.ts";
import type { RolloutPlan } from "../../../core/stage/plan.ts";
import type { EpochMs } from "../../../core/unit.ts";
import { type Change, endedOf, type StoredRollout } from "../../../ports/controller-store.ts";
import { known, one, type SqlClient } from "./client.ts";
import { changeBetween, changed, type JsonChange } from "./json-change.ts";
import { packed, unpacked } from "./packed.ts";

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

/** The next version of a rollout. */
export type NextRollout = NonNullable<Change["rollout"]>;

/** A row of the statements below. */
export interface RolloutRow {
  readonly rollout: StoredState;
  readonly observations: Observations;
  readonly version: number;
  readonly created_at: number | string;
  readonly plan: RolloutPlan;
  readonly changes: readonly (JsonChange | string)[] | null;
}

/**
 * Rollouts in a database: the plan once a generation, state and observations whole now and then, and in between only
 * what a commit changed. What was written last of a running one is remembered to tell the difference; a rollout that
 * this process has not written yet, and one that ends, is written whole.
 */
export class RolloutRows {
  readonly #written = new Map<string, Written>();

  /** What the next version changes, packed, where telling that is enough; null where it has to be written whole. */
  changeOf({ expectedVersion, next }: NextRollout): string | null {
    const last = this.#lastOf(next.rollout.plan, expectedVersion);
    if (last === null || last.changes >= CHANGES_MAX || last.createdAt !== next.createdAt) return null;
    if (endedOf(next) !== null) return null;
    return packed(changeBetween(last.whole, wholeOf(next)) ?? {});
  }

  /** Takes the next version for stored; only once it is committed. */
  remember({ expectedVersion, next }: NextRollout, isWhole: boolean): void {
    const { version, createdAt, rollout } = next;
    const { plan } = rollout;
    if (endedOf(next) !== null) {
      this.#written.delete(plan.rolloutId);
      return;
    }
    const changes = isWhole ? 0 : (this.#lastOf(plan, expectedVersion)?.changes ?? 0) + 1;
    this.#written.set(plan.rolloutId, { version, plan, createdAt, whole: wholeOf(next), changes });
  }

  /**
   * Writes inside a transaction. @throws Stale when the stored version is not the expected one
   * @returns what to call once the transaction is committed
   */
  async write(client: SqlClient, rollout: NextRollout): Promise<() => void> {
    const { expectedVersion, next } = rollout;
    const change = this.changeOf(rollout);
    if (expectedVersion === null) await insertWhole(client, next);
    else if (change !== null) await insertChange(client, expectedVersion, next, change);
    else await updateWhole(client, expectedVersion, next, this.#lastOf(next.rollout.plan, expectedVersion) !== null);
    return () => this.remember(rollout, change === null);
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

  #lastOf(plan: RolloutPlan, expectedVersion: number | null): Written | null {
    const found = this.#written.get(plan.rolloutId);
    return found?.version === expectedVersion && found.plan === plan ? found : null;
  }
}

function wholeOf(stored: StoredRollout): Whole {
  const {
    rollout: { plan: _, ...rollout },
    observations,
  } = stored;
  return { rollout, observations };
}

async function insertWhole(client: SqlClient, next: StoredRollout): Promise<void> {
  const { version, createdAt, rollout } = next;
  const { rolloutId, service } = rollout.plan;
  const insert = `insert into rollouts (id, service, version, created_at, rollout, observations, ended, plan)
    values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`;
  await one(client, insert, [rolloutId, service, version, createdAt, ...textsOf(next), JSON.stringify(rollout.plan)]);
}

async function updateWhole(
  client: SqlClient,
  expectedVersion: number,
  next: StoredRollout,
  isPlanWritten: boolean,
): Promise<void> {
  const { version, createdAt, rollout } = next;
  const { rolloutId, service } = rollout.plan;
  const update = `update rollouts set version = $3, created_at = $4, rollout = $5, observations = $6, ended = $7,
    service = $8 ${isPlanWritten ? "" : ", plan = $9"} where id = $1 and version = $2`;
  const plan = isPlanWritten ? [] : [JSON.stringify(rollout.plan)];
  await one(client, update, [rolloutId, expectedVersion, version, createdAt, ...textsOf(next), service, ...plan]);
  await client.query("delete from rollout_changes where rollout_id = $1", [rolloutId]);
}

/** The version in the rollout's own row is what two writers meet at. */
async function insertChange(
  client: SqlClient,
  expectedVersion: number,
  { rollout, version }: StoredRollout,
  change: string,
): Promise<void> {
  const { rolloutId } = rollout.plan;
  const update = "update rollouts set version = $3 where id = $1 and version = $2";
  await one(client, update, [rolloutId, expectedVersion, version]);
  const insert = "insert into rollout_changes (rollout_id, version, packed) values ($1, $2, decode($3, 'base64'))";
  await client.query(insert, [rolloutId, version, change]);
}

function textsOf(next: StoredRollout): readonly (string | null)[] {
  const { rollout, observations } = wholeOf(next);
  const ended = endedOf(next);
  return [JSON.stringify(rollout), JSON.stringify(observations), ended === null ? null : JSON.stringify(ended)];
}

const SELECT = `select version, created_at, plan, rollout, observations,
  (select json_agg(coalesce(change, to_json(encode(packed, 'base64'))) order by c.version)
    from rollout_changes c where rollout_id = id) as changes from rollouts`;

/** Each reads its rollouts as of one moment. */
export const SELECT_ROLLOUTS = `${SELECT} order by created_at, id`;
export const SELECT_UNENDED = `${SELECT} where ended is null order by created_at, id`;
export const SELECT_ROLLOUT = `${SELECT} where id = $1`;

/** A rollout as it was committed last. */
export function rolloutOf(row: RolloutRow): StoredRollout {
  const { version, created_at, plan, rollout, observations, changes } = row;
  const before: unknown = { rollout, observations };
  const whole = (changes ?? []).reduce((seen, change) => changed(seen, unpacked(change)), before) as Pick<
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
