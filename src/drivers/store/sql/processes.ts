import type { EpochMs } from "../../../core/unit.ts";
import type {
  Change,
  ControllerStore,
  ProcessEntry,
  StoredGrant,
  StoredProcess,
} from "../../../ports/controller-store.ts";
import { one, type SqlClient } from "./client.ts";
import type { Read } from "./reads.ts";

interface ProcessRow extends Omit<StoredProcess, "processId" | "createdAt"> {
  readonly id: string;
  readonly created_at: number | string;
}

/** Writes a decision of a process, inside a transaction. @throws Stale when it does not follow what is stored */
export async function writeProcess(
  client: SqlClient,
  { expectedVersion, next, entry }: NonNullable<Change["process"]>,
): Promise<void> {
  const { processId, kind, service, schema, version, createdAt, state } = next;
  const values = [processId, kind, service, schema, version, createdAt, JSON.stringify(state)];
  if (expectedVersion === null) {
    const insert = `insert into processes (id, kind, service, schema, version, created_at, state)
      values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`;
    await one(client, insert, values);
  } else {
    const update = `update processes set kind = $2, service = $3, schema = $4, version = $5, created_at = $6, state = $7
      where id = $1 and version = $8`;
    await one(client, update, [...values, expectedVersion]);
  }
  const append = `insert into process_journal (process_id, entry_index, entry) select $1, $2, $3
    where $2 = (select coalesce(max(entry_index) + 1, 0) from process_journal where process_id = $1)
    on conflict do nothing`;
  await one(client, append, [processId, entry.index, JSON.stringify(entry)]);
}

/** Writes who may act, inside a transaction. @throws Stale when it does not follow what is stored */
export async function writeGrant(client: SqlClient, grant: StoredGrant): Promise<void> {
  const { service, version } = grant;
  const upsert = `insert into grants (service, version, "grant") select $1, $2, $3
    where $2 = (select coalesce(max(version), 0) + 1 from grants where service = $1)
    on conflict (service) do update set version = excluded.version, "grant" = excluded."grant"
    where grants.version = excluded.version - 1`;
  await one(client, upsert, [service, version, JSON.stringify(grant)]);
}

/** What a store tells of processes and grants. */
export function processReadsOf(read: Read): Pick<ControllerStore, "processes" | "processJournal" | "grants"> {
  return {
    async processes() {
      const text =
        "select id, kind, service, schema, version, created_at, state from processes order by created_at, id";
      const rows = await read<ProcessRow>(text);
      return rows.map(({ id, kind, service, schema, state, version, created_at }) => {
        return { processId: id, kind, service, schema, state, version, createdAt: Number(created_at) as EpochMs };
      });
    },
    async processJournal(processId) {
      const text = "select entry from process_journal where process_id = $1 order by entry_index";
      return (await read<{ entry: ProcessEntry }>(text, [processId])).map(({ entry }) => entry);
    },
    async grants() {
      const text = `select "grant" from grants order by service`;
      return (await read<{ grant: StoredGrant }>(text)).map(({ grant }) => grant);
    },
  };
}
