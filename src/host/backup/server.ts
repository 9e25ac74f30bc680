import { HANDOVER_MS } from "../../controller/tenure.ts";
import type { EpochMs } from "../../core/unit.ts";
import { InputError } from "../../probe/input-error.ts";
import { lockDataDirectory } from "../data-directory-lock.ts";
import type { StoreServer } from "../open-store.ts";
import { identityOf } from "../store-check.ts";
import { identifyBackup, rowsIn, writeBackup } from "./backup-file.ts";
import { factsOf, pauseUnfinished } from "./reconcile.ts";
import { keepFiles, type Refusal, type RestoreResult } from "./restore.ts";

const driver = () => import("../../drivers/store/postgres/index.ts");

/** What a store goes on above when nothing is known of the time since its backup. */
const UNKNOWN = { owner: 0, epoch: 0, announcedMs: HANDOVER_MS };

/**
 * Writes a backup of a store on a server, with the credentials of a data directory. The store may be open.
 * @throws InputError when there is no store
 */
export async function backUpServer(path: string, dataDir: string, server: StoreServer, takenAt: number): Promise<void> {
  const { openPostgresStore } = await driver();
  const store = await openPostgresStore(server);
  try {
    if ((await store.owner()) === null) throw new InputError("file", `${store.place} holds no store; name another one`);
    await writeBackup(path, dataDir, takenAt, (take) => store.copy(take));
  } finally {
    await store.close();
  }
}

/**
 * Makes the store of a backup in a database that has none, and gives its credentials to a data directory.
 * @throws InputError when the file is no whole backup, DriverError `rejected` when there is a store; nothing is changed
 */
export async function restoreToServer(
  path: string,
  dataDir: string,
  server: StoreServer,
  nowMs: EpochMs,
): Promise<RestoreResult | Refusal> {
  const { head, store } = await identifyBackup(path);
  const locked = await lockDataDirectory(dataDir);
  if (locked.kind === "taken") return { kind: "taken", pid: locked.owner.pid };
  try {
    const known = await identityOf(dataDir);
    if (known !== "" && known !== store)
      return { kind: "there", what: `${dataDir} belongs to store ${known}, the backup is of ${store}` };
    const { restorePostgresStore } = await driver();
    await restorePostgresStore(server, { steps: head.steps, rows: rowsIn(path) }, UNKNOWN);
    const { rollouts, paused } = await pauseAll(server, nowMs);
    await keepFiles(dataDir, { head, store, isOther: false });
    const { takenAt } = head;
    return { kind: "restored", store, takenAt, rollouts, lost: null, paused, aside: null, leaseMs: HANDOVER_MS };
  } finally {
    await locked.lock.release();
  }
}

/**
 * Says of a store on a server that it was put back by other means: numbers go on above what was given since, and what
 * it believes to run waits for a person.
 */
export async function acceptServer(server: StoreServer, nowMs: EpochMs) {
  const { jumpPostgresStore } = await driver();
  await jumpPostgresStore(server, UNKNOWN);
  return pauseAll(server, nowMs);
}

async function pauseAll(server: StoreServer, nowMs: EpochMs) {
  const { openPostgresStore } = await driver();
  const store = await openPostgresStore(server);
  try {
    const facts = await factsOf(store);
    const paused = await pauseUnfinished(store, nowMs, () => true);
    await store.release((await store.owner())?.owner ?? 0); // Nobody works in the name that this looked with.
    return { place: store.place, rollouts: facts.rollouts.length, paused };
  } finally {
    await store.close();
  }
}
