import { existsSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HANDOVER_MS } from "../../controller/tenure.ts";
import type { EpochMs } from "../../core/unit.ts";
import { openPgliteStore, type PgliteStore, restorePgliteStore } from "../../drivers/store/pglite/index.ts";
import { lockDataDirectory } from "../data-directory-lock.ts";
import { identityOf, keepIdentity } from "../store-check.ts";
import { watchEventLoop } from "../watchdog.ts";
import { type BackupHead, CREDENTIALS, identifyBackup, rowsIn } from "./backup-file.ts";
import { carryOver, factsOf, lostSince, pauseUnfinished, type StoreFacts } from "./reconcile.ts";

/** Longest time that a damaged database may hang. */
const STALL_MS = 60_000;

export interface RestoreResult {
  readonly kind: "restored";
  readonly store: string;
  readonly takenAt: number;
  readonly rollouts: number;
  /** What the database that was there knew beyond the backup; null when there was none that could be read. */
  readonly lost: readonly string[] | null;
  /** Rollouts that wait for a person now. */
  readonly paused: readonly string[];
  /** Where the database that was there lies now; null when there was none. */
  readonly aside: string | null;
  /** A silent gateway may hold a lease of the lost controller for this long after the start. */
  readonly leaseMs: number;
}

export type Refusal =
  | { readonly kind: "taken"; readonly pid: number }
  /** Something is there that `isReplacing` would move aside; `what` names it. */
  | { readonly kind: "there"; readonly what: string };

/**
 * Makes the database of a backup that of a data directory. One that is there is moved aside, and only when told to; one
 * that a controller has open never.
 * @throws InputError when the file is no whole backup, with nothing changed
 */
export async function restoreBackup(
  path: string,
  dataDir: string,
  isReplacing: boolean,
  nowMs: EpochMs,
): Promise<RestoreResult | Refusal> {
  const { head, store } = await identifyBackup(path);
  const locked = await lockDataDirectory(dataDir);
  if (locked.kind === "taken") return { kind: "taken", pid: locked.owner.pid };
  const stop = watchEventLoop(STALL_MS, `a database in ${dataDir} hangs; move it away and restore again`);
  try {
    const known = await identityOf(dataDir);
    const there = thereIn(dataDir, known, store);
    if (there !== null && !isReplacing) return { kind: "there", what: there };
    return await replace(path, dataDir, { head, store, isOther: known !== "" && known !== store }, nowMs);
  } finally {
    await stop();
    await locked.lock.release();
  }
}

function thereIn(dataDir: string, known: string, store: string): string | null {
  const database = join(dataDir, "database");
  if (existsSync(database)) return `${database} is there`;
  return known === "" || known === store ? null : `${dataDir} belongs to store ${known}, the backup is of ${store}`;
}

interface Backup {
  readonly head: BackupHead;
  readonly store: string;
  /** True when the directory was another store's. */
  readonly isOther: boolean;
}

async function replace(path: string, dataDir: string, backup: Backup, nowMs: EpochMs): Promise<RestoreResult> {
  const { head, store, isOther } = backup;
  const [database, draft] = [join(dataDir, "database"), join(dataDir, "database.restored")];
  const before = isOther || !existsSync(database) ? null : await openPgliteStore(database).catch(() => null);
  await rm(draft, { recursive: true, force: true });
  try {
    const known = before === null ? null : await factsOf(before);
    const leaseMs = known === null ? HANDOVER_MS : Math.max(known.announcedMs, known.leaseMs);
    const epoch = Math.max(0, ...Object.values(known?.epochs ?? {}));
    const jump = { owner: known?.owner ?? 0, epoch, announcedMs: leaseMs };
    await restorePgliteStore(draft, { steps: head.steps, rows: rowsIn(path) }, jump);
    const { facts, paused } = await reconcile(draft, before, known, nowMs);
    await before?.close();
    const aside = existsSync(database) ? `${database}.before-restore-${nowMs}` : null;
    if (aside !== null) await rename(database, aside);
    await rename(draft, database);
    await keepFiles(dataDir, backup);
    const lost = known === null ? null : lostSince(known, facts);
    const { takenAt } = head;
    return { kind: "restored", store, takenAt, rollouts: facts.rollouts.length, lost, paused, aside, leaseMs };
  } finally {
    await before?.close().catch(() => {});
    await rm(draft, { recursive: true, force: true });
  }
}

async function reconcile(
  folder: string,
  before: PgliteStore | null,
  known: StoreFacts | null,
  nowMs: EpochMs,
): Promise<{ readonly facts: StoreFacts; readonly paused: readonly string[] }> {
  const restored = await openPgliteStore(folder);
  try {
    const facts = await factsOf(restored);
    if (before !== null) await carryOver(before, restored);
    const paused = await pauseUnfinished(restored, nowMs, ({ rollout, version }) => {
      const same = known?.rollouts.find(({ id }) => id === rollout.plan.rolloutId);
      return same?.version !== version;
    });
    return { facts, paused };
  } finally {
    await restored.close();
  }
}

/** Credentials that are there stay, because gateways and commands have them; another store's are replaced. */
export async function keepFiles(dataDir: string, { head, store, isOther }: Backup): Promise<void> {
  await keepIdentity(dataDir, store);
  for (const name of CREDENTIALS) {
    const text = head.files[name];
    const path = join(dataDir, name);
    if (text !== undefined && (isOther || !existsSync(path))) await writeFile(path, text, { mode: 0o600 });
  }
}
