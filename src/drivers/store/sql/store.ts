import type { ControllerStore } from "../../../ports/controller-store.ts";
import type { DriverError } from "../../../ports/driver-error.ts";
import { type SqlClient, type SqlDatabase, Stale } from "./client.ts";
import { holdOwner, ownershipOf } from "./ownership.ts";
import { pointerReadsOf, type Read, readsOf } from "./reads.ts";
import { processReadsOf } from "./processes.ts";
import { rolloutReadsOf } from "./rollout-reads.ts";
import { RolloutRows } from "./rollout-rows.ts";
import { telemetryBatch } from "./telemetry-batch.ts";
import { writeChange } from "./writes.ts";

/** A store on a migrated database. `explain` makes the product's failure one that callers know. */
export function sqlStore(database: SqlDatabase, explain: (error: unknown) => Promise<DriverError>): ControllerStore {
  const rolloutRows = new RolloutRows();
  const batched = telemetryBatch(database, rolloutRows);
  const explained = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw error instanceof Stale ? error : await explain(error);
    }
  };
  const read: Read = <Row>(text: string, values: unknown[] = []): Promise<Row[]> =>
    explained(async () => (await database.query<Row>(text, values)).rows);
  return {
    async commit(change) {
      const work = async (client: SqlClient) => {
        if (change.owner !== undefined) await holdOwner(client, change.owner);
        if (change.pruned !== undefined) await rolloutRows.prune(client, change.pruned);
        const isWritten = change.rollout === undefined ? () => {} : await rolloutRows.write(client, change.rollout);
        await writeChange(client, change);
        return isWritten;
      };
      try {
        const waiting = batched(change);
        if (waiting !== null) return await explained(() => waiting);
        const written = await explained(() => database.transaction(work));
        written();
        return true;
      } catch (error) {
        if (error instanceof Stale) return false;
        throw error;
      }
    },
    ...ownershipOf(database, read, explained),
    ...readsOf(read),
    ...rolloutReadsOf(read),
    ...pointerReadsOf(read),
    ...processReadsOf(read),
    close: () => database.close(),
  };
}
