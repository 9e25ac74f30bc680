import type { PointerMove } from "../../../core/service/pointer.ts";
import type { JournalEntry } from "../../../core/rollout/journal-entry.ts";
import type { Change } from "../../../ports/controller-store.ts";
import { one, type SqlClient } from "./client.ts";
import { writeGrant, writeProcess } from "./processes.ts";

async function writeDocument(client: SqlClient, { expected, next }: NonNullable<Change["published"]>): Promise<void> {
  const { document, orderId } = next;
  const values = [document.service, document.epoch, document.seq, orderId, JSON.stringify(document)];
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

/**
 * Writes everything of a change but its rollout, inside a transaction.
 * @throws Stale when it does not follow what is stored
 */
export async function writeChange(client: SqlClient, change: Change): Promise<void> {
  if (change.pointer !== undefined) await writePointer(client, change.pointer);
  if (change.published !== undefined) await writeDocument(client, change.published);
  if (change.process !== undefined) await writeProcess(client, change.process);
  if (change.grant !== undefined) await writeGrant(client, change.grant);
  if (change.token !== undefined) {
    const upsert =
      "insert into tokens (hash, token) values ($1, $2) on conflict (hash) do update set token = excluded.token";
    await client.query(upsert, [change.token.hash, JSON.stringify(change.token)]);
  }
  for (const entry of change.journal ?? []) await writeEntry(client, entry);
  if (change.report !== undefined) {
    const { rolloutId, orderId, report } = change.report;
    const insert = `insert into probe_reports (rollout_id, effect_id, report) values ($1, $2, $3)
      on conflict (rollout_id, effect_id) do update set report = excluded.report`;
    await client.query(insert, [rolloutId, orderId, JSON.stringify(report)]);
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
