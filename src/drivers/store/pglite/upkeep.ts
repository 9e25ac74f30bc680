import { PGlite } from "@electric-sql/pglite";
import type { ControllerStore } from "../../../ports/controller-store.ts";
import type { SqlDatabase } from "../sql/client.ts";
import { tablesOf } from "../sql/rows.ts";

/** Commits between two looks at what has gathered: about a minute of one gateway's windows. */
const LOOK_EVERY = 256;
/** So much of the log is replayed at most after a crash, and kept at least until then. */
const CHECKPOINT_BYTES = 12_000_000;

/**
 * How the embedded database is started. Files of its log are used again as soon as a checkpoint allows it: by default
 * 80 MB of them would be kept. Pages that a checkpoint lets into the log whole are packed.
 */
export const START_PARAMS: string[] = [
  ...PGlite.defaultStartParams,
  ...["min_wal_size=32MB", "max_wal_size=48MB", "wal_compression=pglz"].flatMap((setting) => ["-c", setting]),
];

const SINCE_CHECKPOINT = `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn) as bytes
  from pg_control_checkpoint()`;

/**
 * The database, with the work that a server's background processes would do and that nobody does in an embedded one:
 * without it the log and the rows that were replaced stay for ever. Done between commits; one that fails is done later,
 * for a database that cannot be written says so at the next commit.
 */
export function withUpkeep(database: SqlDatabase, lookEvery: number = LOOK_EVERY): SqlDatabase {
  let commits = 0;
  const look = async (): Promise<void> => {
    await database.query("vacuum rollouts, rollout_changes");
    const { rows } = await database.query<{ bytes: number | string }>(SINCE_CHECKPOINT);
    if (Number(rows[0]?.bytes) < CHECKPOINT_BYTES) return;
    await vacuum(database);
    await database.query("checkpoint");
  };
  const counted = <T>(result: T): T => {
    if (++commits % lookEvery === 0) look().catch(() => {});
    return result;
  };
  return {
    ...database,
    alone: async <Row>(text: string, values: unknown[]) => counted(await database.alone<Row>(text, values)),
    transaction: async (work) => counted(await database.transaction(work)),
  };
}

/** Table by table, so that a commit waits for one at most; the system's own hardly change and would take far longer. */
async function vacuum(database: SqlDatabase): Promise<void> {
  for (const table of await tablesOf(database)) await database.query(`vacuum "${table}"`);
}

/** The store, whose rows of removed rollouts are given back with the first commit after them that removes none. */
export function withSpaceBack(store: ControllerStore, database: SqlDatabase): ControllerStore {
  let hasPruned = false;
  return {
    ...store,
    async commit(change) {
      const isStored = await store.commit(change);
      if (change.pruned !== undefined) hasPruned ||= isStored;
      else if (hasPruned) {
        hasPruned = false;
        vacuum(database).catch(() => {});
      }
      return isStored;
    },
  };
}
