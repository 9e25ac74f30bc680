import { createHash } from "node:crypto";
import { readFile, realpath, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { OWNERSHIP_MS } from "../controller/ownership.ts";
import type { Clock } from "../ports/clock.ts";
import type { OwnedStore, StoreHolder } from "../ports/ownership.ts";

const LOOK_MS = 500;

/**
 * Who the controller of a data directory is to others. The same over restarts, because the directory's lock says that
 * the one before is dead; another one for a copy of the directory, in which nobody holds that lock.
 */
export async function holderOf(dataDir: string): Promise<StoreHolder> {
  const path = await realpath(dataDir);
  const { dev, ino } = await stat(path);
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "unknown");
  const parts = JSON.stringify([boot.trim(), hostname(), path, dev, ino]);
  const name = `process ${process.pid} on ${hostname()}, data in ${resolve(dataDir)}`;
  return { id: createHash("sha256").update(parts).digest("hex"), name };
}

/** What is known of the owner before: that it is gone, or that it was not waited for; else that it lives. */
export type Free =
  | { readonly kind: "free"; readonly isLiveTakeover: boolean }
  | { readonly kind: "held"; readonly by: string };

/**
 * Whether a store may be taken. One whose owner neither gave it up nor was this holder is watched for as long as an
 * owner may be silent; what this process sees itself counts, no time that another machine wrote.
 * @param takesOver true to take it from an owner that may live
 */
export async function untilFree(
  store: OwnedStore,
  holder: StoreHolder,
  takesOver: boolean,
  { clock, log }: { readonly clock: Clock; readonly log: (line: string) => void },
): Promise<Free> {
  const found = await store.owner();
  if (found === null || found.isReleased || found.holder.id === holder.id)
    return { kind: "free", isLiveTakeover: false };
  const by = found.holder.name === "" ? `owner ${found.owner}` : found.holder.name;
  if (takesOver) return { kind: "free", isLiveTakeover: true };
  log(`the store was not given up by ${by}; watching for ${OWNERSHIP_MS / 1_000} s whether it lives`);
  for (const untilMs = clock.monoMs() + OWNERSHIP_MS; clock.monoMs() < untilMs; ) {
    await clock.sleep(LOOK_MS);
    const now = await store.owner();
    if (now?.isReleased) break;
    if (now?.beat !== found.beat || now.owner !== found.owner) return { kind: "held", by: now?.holder.name || by };
  }
  return { kind: "free", isLiveTakeover: false };
}
