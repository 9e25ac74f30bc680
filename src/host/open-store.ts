import { join } from "node:path";
import type { Taking } from "../controller/ownership.ts";
import type { Clock } from "../ports/clock.ts";
import type { ControllerStore } from "../ports/controller-store.ts";
import type { CopyRows } from "./backup/backup-file.ts";
import { checkDatabase, checkIdentity } from "./store-check.ts";
import { holderOf, untilFree } from "./store-holder.ts";

/** A server that holds a store. */
export interface StoreServer {
  /** `postgres://user@host:port/database`, without a password. */
  readonly url: string;
  readonly password?: string | undefined;
}

export interface OpenStoreOptions {
  readonly dataDir: string;
  /** Null for the database that is embedded in this process. */
  readonly server: StoreServer | null;
  /** True to begin again where the store of before is gone, or to take another one. */
  readonly isNew: boolean;
  /** True to take a store from a controller that may live. */
  readonly takesOver: boolean;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/** A store that may be taken. */
export interface OpenedStore {
  readonly kind: "opened";
  readonly store: ControllerStore;
  readonly copy: CopyRows;
  readonly taking: Omit<Taking, "proposed">;
}

/** Another controller, which lives, has the store. */
export interface HeldStore {
  readonly kind: "held";
  readonly place: string;
  readonly by: string;
}

/**
 * The store of a data directory, once it is known to be the one that was here before. Each product is loaded only where
 * it is used: the embedded one takes much memory.
 * @param undo gets what closes it
 * @throws DriverError when it cannot be opened, or is another one
 */
export async function openStore(
  options: OpenStoreOptions,
  undo: (() => Promise<unknown>)[],
): Promise<OpenedStore | HeldStore> {
  const { dataDir, server, isNew } = options;
  if (server !== null) return openServer(server, options, undo);
  await checkDatabase(dataDir, isNew);
  const { openPgliteStore } = await import("../drivers/store/pglite/index.ts");
  const place = join(dataDir, "database");
  const store = await openPgliteStore(place);
  undo.push(() => store.close());
  await checkIdentity(dataDir, (await store.owner())?.store ?? null, isNew, place);
  const taking = { holder: await holderOf(dataDir) };
  return { kind: "opened", store, copy: (take) => store.copy(take), taking };
}

async function openServer(
  server: StoreServer,
  { dataDir, isNew, takesOver, clock, log }: OpenStoreOptions,
  undo: (() => Promise<unknown>)[],
): Promise<OpenedStore | HeldStore> {
  const { openPostgresStore } = await import("../drivers/store/postgres/index.ts");
  const store = await openPostgresStore(server);
  undo.push(() => store.close());
  const { place, durability } = store;
  if (!durability.isDurable)
    log(`a crash of the server of ${place} may lose what it has confirmed (${durability.found}); turn both on`);
  await checkIdentity(dataDir, (await store.owner())?.store ?? null, isNew, place);
  const holder = await holderOf(dataDir);
  const free = await untilFree(store, holder, takesOver, { clock, log });
  if (free.kind === "held") return { kind: "held", place, by: free.by };
  await store.migrate(); // Now that nobody works with the tables as they are.
  const { isLiveTakeover } = free;
  return { kind: "opened", store, copy: (take) => store.copy(take), taking: { holder, isLiveTakeover } };
}
