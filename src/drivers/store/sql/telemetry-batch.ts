import type { Change, StoredUnits } from "../../../ports/controller-store.ts";
import { createBatch } from "../../batch.ts";
import type { SqlDatabase } from "./client.ts";
import type { NextRollout, RolloutRows } from "./rollout-rows.ts";

/** What a commit of telemetry is made of: the next version of a rollout as a change, at times with its units. */
interface Step {
  readonly owner: number | undefined;
  readonly rollout: NextRollout;
  readonly change: string;
  readonly units: StoredUnits | undefined;
}

/**
 * Changes in one statement, and statements under way at once: the next ones gather meanwhile, so that few suffice. What
 * a statement confirms goes on at once, and must not keep the process from its clock for long.
 */
const BATCH_MAX = 32;
const IN_FLIGHT_MAX = 3;

/**
 * Many rollouts' next versions in one statement, each compared with its own stored version; one that is stale is left
 * out alone. All of it happens while the owner's row is held, and nothing when another one owns the store.
 */
const WRITE = `with
  held as materialized (select owner from ownership where owner = $1 for key share),
  asked as materialized (
    select * from unnest($2::text[], $3::integer[], $4::integer[], $5::text[]) as a (id, expected, version, change)),
  moved as (
    update rollouts r set version = a.version from asked a where r.id = a.id and r.version = a.expected
      and ($1::bigint is null or exists (select 1 from held)) returning r.id),
  written as (
    insert into rollout_changes (rollout_id, version, packed)
      select a.id, a.version, decode(a.change, 'base64') from asked a join moved m on m.id = a.id),
  seen as (
    insert into unit_evidence (rollout_id, generation, attempt, evidence)
      select u.id, u.generation, u.attempt, u.evidence::json
        from unnest($6::text[], $7::integer[], $8::integer[], $9::text[]) as u (id, generation, attempt, evidence)
        join moved m on m.id = u.id
      on conflict (rollout_id) do update
        set generation = excluded.generation, attempt = excluded.attempt, evidence = excluded.evidence)
  select id from moved`;

/**
 * Group commit of telemetry: what waits while a statement is under way goes with the next one. Answers null for a
 * change that is more than telemetry, which has to be committed by itself.
 */
export function telemetryBatch(database: SqlDatabase, rows: RolloutRows): (change: Change) => Promise<boolean> | null {
  const write = async (steps: readonly Step[]): Promise<ReadonlySet<string>> => {
    const values = [steps[0]?.owner ?? null, ...columnsOf(steps)];
    return new Set((await database.alone<{ id: string }>(WRITE, values)).map(({ id }) => id));
  };
  const run = async (steps: readonly Step[]): Promise<readonly boolean[]> => {
    const moved = await write(steps);
    return steps.map(({ rollout }) => {
      const isMoved = moved.has(idOf(rollout));
      if (isMoved) rows.remember(rollout, false);
      return isMoved;
    });
  };
  const batches = new Map<number | undefined, (step: Step) => Promise<boolean>>();
  const batchOf = (owner: number | undefined) => {
    const options = { run, idOf: ({ rollout }: Step) => idOf(rollout), sizeMax: BATCH_MAX, inFlightMax: IN_FLIGHT_MAX };
    const batch = batches.get(owner) ?? createBatch<Step, boolean>(options);
    batches.set(owner, batch);
    return batch;
  };
  return (change) => {
    const step = stepOf(change, rows);
    return step === null ? null : batchOf(step.owner)(step);
  };
}

const idOf = ({ next }: NextRollout) => next.rollout.plan.rolloutId;

function stepOf({ owner, rollout, units, journal = [], ...rest }: Change, rows: RolloutRows): Step | null {
  if (rollout === undefined || journal.length > 0 || Object.keys(rest).length > 0) return null;
  if (units !== undefined && units.rolloutId !== idOf(rollout)) return null;
  const change = rows.changeOf(rollout);
  return change === null ? null : { owner, rollout, change, units };
}

function columnsOf(steps: readonly Step[]): readonly unknown[][] {
  const seen = steps.flatMap(({ units }) => units ?? []);
  return [
    steps.map(({ rollout }) => idOf(rollout)),
    steps.map(({ rollout }) => rollout.expectedVersion),
    steps.map(({ rollout }) => rollout.next.version),
    steps.map(({ change }) => change),
    seen.map(({ rolloutId }) => rolloutId),
    seen.map(({ generation }) => generation),
    seen.map(({ attempt }) => attempt),
    seen.map(({ evidence }) => JSON.stringify(evidence)),
  ];
}
