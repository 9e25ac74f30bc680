import { assert } from "../../../core/assert.ts";
import type { ProbeReport } from "../../../core/measure/report.ts";
import type { PointerMove } from "../../../core/service/pointer.ts";
import type { RoutingDocument } from "../../../core/routing/document.ts";
import type {
  Change,
  ControllerStore,
  JournalEntry,
  OperatorAnswer,
  PrunedRollout,
  StoredPlane,
  StoredToken,
  StoredUnits,
} from "../../../ports/controller-store.ts";
import { one, type SqlClient, type SqlDatabase, Stale, storeError } from "./client.ts";
import { MIGRATIONS } from "./migrations.ts";
import { type RolloutRow, RolloutRows, rolloutOf, SELECT_ROLLOUTS } from "./rollout-rows.ts";

/** Applies the missing migrations, each in its own transaction. Safe to run at every start. */
export async function migrate(database: SqlDatabase, steps: number = MIGRATIONS.length): Promise<void> {
  await database.query("create table if not exists migrations (step integer primary key)");
  const { rows } = await database.query<{ step: number | null }>("select max(step) as step from migrations");
  for (let step = (rows[0]?.step ?? -1) + 1; step < steps; step++) {
    await database.transaction(async (client) => {
      await client.query(MIGRATIONS[step] as string);
      await client.query("insert into migrations (step) values ($1)", [step]);
    });
  }
}

async function writeDocument(client: SqlClient, { expected, next }: NonNullable<Change["published"]>): Promise<void> {
  const { document, effectId } = next;
  const values = [document.service, document.epoch, document.seq, effectId, JSON.stringify(document)];
  if (expected === null) {
    const insert = `insert into documents (service, epoch, seq, effect_id, document)
      values ($1, $2, $3, $4, $5) on conflict do nothing`;
    return one(client, insert, values);
  }
  const update = `update documents set epoch = $2, seq = $3, effect_id = $4, document = $5
    where service = $1 and epoch = $6 and seq = $7`;
  return one(client, update, [...values, expected.epoch, expected.seq]);
}

/** An entry is taken at the journal's end only: contiguous from 0 (I10). */
async function writeEntry(client: SqlClient, entry: JournalEntry): Promise<void> {
  const insert = `insert into journal (rollout_id, entry_index, entry) select $1, $2, $3
    where $2 = (select coalesce(max(entry_index) + 1, 0) from journal where rollout_id = $1) on conflict do nothing`;
  await one(client, insert, [entry.rolloutId, entry.index, JSON.stringify(entry)]);
}

/** A move follows the one before it; a second one of the same version is not taken. */
async function writePointer(client: SqlClient, move: PointerMove): Promise<void> {
  const insert = `insert into pointers (service, region, version, move) select $1, $2, $3, $4
    where $3 = (select coalesce(max(version), 0) + 1 from pointers where service = $1 and region = $2)
    on conflict do nothing`;
  const { service, region } = move.pointer;
  await one(client, insert, [service, region, move.version, JSON.stringify(move)]);
}

async function write(client: SqlClient, change: Change): Promise<void> {
  if (change.pointer !== undefined) await writePointer(client, change.pointer);
  if (change.published !== undefined) await writeDocument(client, change.published);
  if (change.token !== undefined) {
    const upsert =
      "insert into tokens (hash, token) values ($1, $2) on conflict (hash) do update set token = excluded.token";
    await client.query(upsert, [change.token.hash, JSON.stringify(change.token)]);
  }
  for (const entry of change.journal ?? []) await writeEntry(client, entry);
  if (change.report !== undefined) {
    const { rolloutId, effectId, report } = change.report;
    const insert = `insert into probe_reports (rollout_id, effect_id, report) values ($1, $2, $3)
      on conflict (rollout_id, effect_id) do update set report = excluded.report`;
    await client.query(insert, [rolloutId, effectId, JSON.stringify(report)]);
  }
  for (const plane of change.planes ?? []) {
    const upsert = `insert into planes (service, plane_id, plane) values ($1, $2, $3)
      on conflict (service, plane_id) do update set plane = excluded.plane`;
    await client.query(upsert, [plane.service, plane.planeId, JSON.stringify(plane)]);
  }
  if (change.units !== undefined) {
    const { rolloutId, generation, attempt, evidence } = change.units;
    const upsert = `insert into unit_evidence (rollout_id, generation, attempt, evidence) values ($1, $2, $3, $4)
      on conflict (rollout_id) do update set generation = excluded.generation, attempt = excluded.attempt, evidence = excluded.evidence`;
    await client.query(upsert, [rolloutId, generation, attempt, JSON.stringify(evidence)]);
  }
  for (const { service, hour, requests } of change.hours ?? []) {
    const upsert = `insert into service_hours (service, hour, requests) values ($1, $2, $3)
      on conflict (service, hour) do update set requests = excluded.requests`;
    await client.query(upsert, [service, hour, requests]);
  }
  if (change.answer !== undefined) {
    const { key, fingerprint, status, body } = change.answer;
    const insert =
      "insert into answers (key, fingerprint, status, body) values ($1, $2, $3, $4) on conflict do nothing";
    await client.query(insert, [key, fingerprint, status, body]);
  }
}

interface OwnershipRow {
  readonly store: string;
  readonly owner: number | string;
  readonly announced_ms: number | string;
  readonly epoch_floor: number | string;
}

/** A store on a migrated database. `growthProblem` tells why files may not grow, to explain a failure. */
export function sqlStore(
  database: SqlDatabase,
  growthProblem: () => Promise<string | null> = () => Promise.resolve(null),
): ControllerStore {
  const rolloutRows = new RolloutRows();
  const read = async <Row>(text: string, values: unknown[] = []): Promise<Row[]> => {
    try {
      return (await database.query<Row>(text, values)).rows;
    } catch (error) {
      throw storeError(error, await growthProblem());
    }
  };
  return {
    async commit(change) {
      try {
        const written = await database.transaction(async (client) => {
          if (change.pruned !== undefined) await rolloutRows.prune(client, change.pruned);
          const isWritten = change.rollout === undefined ? () => {} : await rolloutRows.write(client, change.rollout);
          await write(client, change);
          return isWritten;
        });
        written();
        return true;
      } catch (error) {
        if (error instanceof Stale) return false;
        throw storeError(error, await growthProblem());
      }
    },
    async own(proposed) {
      const upsert = `insert into ownership (one, store, owner, announced_ms) values (1, $1, 1, 0)
        on conflict (one) do update set owner = ownership.owner + 1
        returning store, owner, announced_ms, epoch_floor`;
      const [row] = await read<OwnershipRow>(upsert, [proposed]);
      assert(row !== undefined, "an upsert returns its row");
      const { store, owner, announced_ms, epoch_floor } = row;
      return { store, owner: Number(owner), announcedMs: Number(announced_ms), epochFloor: Number(epoch_floor) };
    },
    async keep(owner, announcedMs) {
      const update = "update ownership set announced_ms = $2 where owner = $1 returning owner";
      return (await read(update, [owner, announcedMs])).length === 1;
    },
    async planes() {
      const rows = await read<{ plane: StoredPlane }>("select plane from planes order by service, plane_id");
      return rows.map(({ plane }) => plane);
    },
    async rollouts() {
      return (await read<RolloutRow>(SELECT_ROLLOUTS)).map(rolloutOf);
    },
    async journal(rolloutId) {
      const text = "select entry from journal where rollout_id = $1 order by entry_index";
      return (await read<{ entry: JournalEntry }>(text, [rolloutId])).map(({ entry }) => entry);
    },
    async published() {
      const rows = await read<{ document: RoutingDocument; effect_id: string }>(
        "select document, effect_id from documents order by service",
      );
      return rows.map(({ document, effect_id }) => ({ document, effectId: effect_id }));
    },
    async tokens() {
      const rows = await read<{ token: StoredToken }>("select token from tokens order by stored_order");
      return rows.map(({ token }) => token);
    },
    async pointers() {
      const text = `select move from pointers p where version =
        (select max(version) from pointers where service = p.service and region = p.region) order by service, region`;
      return (await read<{ move: PointerMove }>(text)).map(({ move }) => move);
    },
    async pointerHistory(service) {
      const text = "select move from pointers where service = $1 order by region, version";
      return (await read<{ move: PointerMove }>(text, [service])).map(({ move }) => move);
    },
    async reports(rolloutId) {
      const text = "select effect_id, report from probe_reports where rollout_id = $1 order by stored_order";
      const rows = await read<{ effect_id: string; report: ProbeReport }>(text, [rolloutId]);
      return rows.map(({ effect_id, report }) => ({ effectId: effect_id, report }));
    },
    async units(rolloutId) {
      const text = "select generation, attempt, evidence from unit_evidence where rollout_id = $1";
      const [row] = await read<Omit<StoredUnits, "rolloutId">>(text, [rolloutId]);
      return row === undefined ? null : { rolloutId, ...row };
    },
    async pruned() {
      const rows = await read<{ pruned: PrunedRollout }>("select pruned from pruned_rollouts order by rollout_id");
      return rows.map(({ pruned }) => pruned);
    },
    async answer(key) {
      return (
        (await read<OperatorAnswer>("select key, fingerprint, status, body from answers where key = $1", [key]))[0] ??
        null
      );
    },
    async hours(sinceHour) {
      const text = "select service, hour, requests from service_hours where hour >= $1 order by service, hour";
      const rows = await read<{ service: string; hour: number; requests: number | string }>(text, [sinceHour]);
      return rows.map(({ service, hour, requests }) => ({ service, hour, requests: Number(requests) }));
    },
    close: () => database.close(),
  };
}
