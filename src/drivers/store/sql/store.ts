import type { ControllerStore } from "../../../ports/controller-store.ts";
import type { DriverError } from "../../../ports/driver-error.ts";
import { type SqlDatabase, Stale } from "./client.ts";
import { ownershipOf } from "./ownership.ts";
import { pointerReadsOf, type Read, readsOf } from "./reads.ts";
import { RolloutRows } from "./rollout-rows.ts";
import { writeChange } from "./writes.ts";

/** A store on a migrated database. `explain` makes the product's failure one that callers know. */
export function sqlStore(database: SqlDatabase, explain: (error: unknown) => Promise<DriverError>): ControllerStore {
  const rolloutRows = new RolloutRows();
  const read: Read = async <Row>(text: string, values: unknown[] = []): Promise<Row[]> => {
    try {
      return (await database.query<Row>(text, values)).rows;
    } catch (error) {
      throw await explain(error);
    }
  };
  return {
    async commit(change) {
      try {
        const written = await database.transaction(async (client) => {
          if (change.pruned !== undefined) await rolloutRows.prune(client, change.pruned);
          const isWritten = change.rollout === undefined ? () => {} : await rolloutRows.write(client, change.rollout);
          await writeChange(client, change);
          return isWritten;
        });
        written();
        return true;
      } catch (error) {
        if (error instanceof Stale) return false;
        throw await explain(error);
      }
    },
    ...ownershipOf(read),
    ...readsOf(read),
    ...pointerReadsOf(read),
    close: () => database.close(),
  };
}
