import { type FileHandle, open, opendir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { CacheDriver } from "../../../ports/cache.ts";
import type { Clock } from "../../../ports/clock.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import { untilAborted } from "../../abortable.ts";
import { type EntryFile, pathOf, readEntry } from "./entry-file.ts";

/** What is asked of the file system. */
export interface CacheFiles {
  /** Rejects where there is no such folder. */
  check(folder: string): Promise<void>;
  /** Paths of all files below the folder, a few at a time. */
  walk(folder: string): AsyncIterable<string>;
  /** The first bytes of a file; null: it is gone. */
  beginning(path: string): Promise<Buffer | null>;
  /** False: it was gone. */
  remove(path: string): Promise<boolean>;
}

export interface NginxCacheConfig {
  /** Folder of `proxy_cache_path`, on this machine or mounted. */
  readonly folder: string;
  readonly clock: Clock;
  /** `levels` of `proxy_cache_path`. Default `1:2`. */
  readonly levels?: string;
  /** Pause after each round of `ROUND_FILES` files, so that nginx has the disk meanwhile. Default 5. */
  readonly pauseMs?: number;
  readonly files?: CacheFiles;
}

const NAME = "cache/nginx";
const ROUND_FILES = 500;
const AT_ONCE = 8;
/** A key and the headers of an answer; nginx takes 8 KiB of headers unless it is configured. */
const BEGINNING_BYTES = 16_384;

const isGone = (error: unknown) => (error as { code?: unknown } | null)?.code === "ENOENT";

async function orGone<T>(work: Promise<T>, gone: T): Promise<T> {
  return work.catch((error: unknown) => {
    if (isGone(error)) return gone; // nginx or another driver was faster.
    throw error;
  });
}

/** The file system of this machine. */
export const systemFiles: CacheFiles = {
  async check(folder) {
    await stat(folder);
  },
  async *walk(folder) {
    const entries = await orGone(opendir(folder), null);
    if (entries === null) return;
    for await (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) yield* systemFiles.walk(path);
      else if (/^[0-9a-f]{32}$/.test(entry.name)) yield path;
    }
  },
  async beginning(path) {
    const file: FileHandle | null = await orGone(open(path, "r"), null);
    if (file === null) return null;
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(BEGINNING_BYTES), 0, BEGINNING_BYTES, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  },
  remove: (path) =>
    orGone(
      unlink(path).then(() => true),
      false,
    ),
};

/** A failure of the disk is a failed conversation, too. */
async function asking<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await untilAborted(signal, work);
  } catch (error) {
    if (signal.aborted || error instanceof DriverError) throw error;
    const what = `${NAME}: ${error instanceof Error ? error.message : String(error)}`;
    const isDenied = ["EACCES", "EPERM"].includes(String((error as { code?: unknown }).code));
    if (isDenied) throw new DriverError("unauthorized", "never", `${what}; run as the user of nginx's workers`, error);
    throw new DriverError("unreachable", "safe", what, error);
  }
}

type Reading = Required<Pick<NginxCacheConfig, "folder" | "clock" | "pauseMs" | "files">>;

function readerOf({ folder, clock, pauseMs, files }: Reading) {
  async function fileOf(path: string, signal: AbortSignal): Promise<EntryFile | null> {
    const beginning = await asking(signal, () => files.beginning(path));
    return beginning === null ? null : readEntry(beginning);
  }

  /** Every entry of a namespace, as the folders are walked; files are read a few at once. */
  async function* entries(namespace: string, signal: AbortSignal) {
    await asking(signal, () => files.check(folder));
    const walk = files.walk(folder)[Symbol.asyncIterator]();
    const next = () => asking(signal, () => walk.next());
    try {
      for (let [looked, isOver] = [0, false]; !isOver; ) {
        const paths: string[] = [];
        while (paths.length < AT_ONCE && !isOver) {
          const step = await next();
          if (step.done === true) isOver = true;
          else paths.push(step.value);
        }
        const found = await Promise.all(paths.map(async (path) => ({ path, file: await fileOf(path, signal) })));
        for (const { path, file } of found) if (file?.key.startsWith(namespace) === true) yield { ...file, path };
        looked += paths.length;
        if (looked % ROUND_FILES < AT_ONCE) await clock.sleep(pauseMs, signal);
        signal.throwIfAborted();
      }
    } finally {
      void walk.return?.(); // Closes its folders; a disk that is silent is not waited for.
    }
  }

  return { fileOf, entries };
}

/**
 * The files of an nginx cache. nginx without a commercial licence has no way to purge; an entry whose file is gone is a
 * miss to it, so removing the file is removing the entry.
 */
export function nginxCache(config: NginxCacheConfig): CacheDriver {
  const { folder, clock, levels = "1:2", pauseMs = 5, files = systemFiles } = config;

  const { fileOf, entries } = readerOf({ folder, clock, pauseMs, files });

  return {
    name: NAME,
    can: { purgeNamespace: true, list: true, immediate: true },
    async purge(namespace, keys, signal) {
      let removed = 0;
      const remove = async (path: string) => {
        if (await asking(signal, () => files.remove(path))) removed++;
      };
      if (keys === null) for await (const { path } of entries(namespace, signal)) await remove(path);
      else await asking(signal, () => files.check(folder));
      for (const key of keys ?? []) await remove(join(folder, pathOf(namespace + key, levels)));
      return removed;
    },
    async read(namespace, key, signal) {
      await asking(signal, () => files.check(folder));
      const found = await fileOf(join(folder, pathOf(namespace + key, levels)), signal);
      return found?.key === namespace + key ? found.entry : null;
    },
    async topKeys(namespace, limit, signal) {
      const keys: string[] = [];
      for await (const { key } of entries(namespace, signal)) {
        if (keys.length >= limit) break;
        keys.push(key.slice(namespace.length));
      }
      return keys;
    },
    close: async () => {},
  };
}
