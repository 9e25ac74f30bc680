import { memoryStore } from "../../src/drivers/store/memory/index.ts";
import { blankDatabase } from "../../src/drivers/store/pglite/open.ts";
import { guarded } from "../../src/drivers/store/pglite/client.ts";
import { connect, pooled } from "../../src/drivers/store/postgres/client.ts";
import { storeError } from "../../src/drivers/store/postgres/failure.ts";
import { openPostgresStore } from "../../src/drivers/store/postgres/index.ts";
import type { SqlDatabase } from "../../src/drivers/store/sql/client.ts";
import { migrate } from "../../src/drivers/store/sql/migrate.ts";
import { tablesOf } from "../../src/drivers/store/sql/rows.ts";
import { sqlStore } from "../../src/drivers/store/sql/store.ts";
import type { ControllerStore } from "../../src/ports/controller-store.ts";

/** Where the stores of one test are. */
export interface Place {
  /** A store as a process of its own opens it: it remembers nothing of what another handle wrote. */
  open(): ControllerStore;
  /** Forgets everything, for the next story. */
  empty(): Promise<void>;
  /** True for a store that answers in its own time, whatever a test's clock says. */
  readonly isReal: boolean;
  close(): Promise<void>;
}

export function memoryPlace(): Place {
  let store = memoryStore();
  return {
    isReal: false,
    open: () => store,
    empty: () => Promise.resolve(void (store = memoryStore())),
    close: () => Promise.resolve(),
  };
}

function sqlPlace(database: SqlDatabase): Place {
  const explain = (error: unknown) => Promise.resolve(storeError(error, "of this test"));
  return {
    isReal: true,
    open: () => ({ ...sqlStore(database, explain), close: () => Promise.resolve() }),
    async empty() {
      const tables = await tablesOf(database);
      await database.query(`truncate ${tables.join(", ")} restart identity`);
    },
    close: () => database.close(),
  };
}

/** @param folder that is not there yet */
export async function pglitePlace(folder: string): Promise<Place> {
  const database = guarded(await blankDatabase(folder));
  await migrate(database);
  return sqlPlace(database);
}

/** @param url of a server that runs */
export async function postgresPlace(url: string): Promise<Place> {
  const store = await openPostgresStore({ url });
  await store.migrate();
  await store.close();
  return sqlPlace(pooled(connect({ url })));
}

/** Counts what is asked of stores, so that a clock that moves when told can wait until all of it is answered. */
export function quiet(): { settle(): Promise<void>; watched(store: ControllerStore): ControllerStore } {
  let asked = 0;
  return {
    async settle() {
      for (let calm = 0; calm < 2; calm++) {
        for (let turn = 0; turn < 200; turn++) await Promise.resolve();
        while (asked > 0) {
          calm = 0;
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    },
    watched(store) {
      const counting = Object.entries(store).map(([name, call]) => [
        name,
        async (...said: unknown[]) => {
          asked++;
          try {
            return await (call as (...args: unknown[]) => Promise<unknown>)(...said);
          } finally {
            asked--;
          }
        },
      ]);
      return Object.fromEntries(counting) as ControllerStore;
    },
  };
}
