import { createHash } from "node:crypto";
import type { CachedEntry } from "../../../ports/cache.ts";

/** What a file of the cache says before its body. */
export interface EntryFile {
  /** The whole `proxy_cache_key`. */
  readonly key: string;
  readonly entry: CachedEntry;
}

const KEY_LINE = "\nKEY: ";

/**
 * Where nginx keeps an entry, below the cache's folder: the MD5 of its key, in folders named by its last digits.
 * @param levels as in `proxy_cache_path`, such as `1:2`; empty: no folders
 * @source nginx documentation, proxy_cache_path
 */
export function pathOf(key: string, levels: string): string {
  const name = createHash("md5").update(key, "utf8").digest("hex");
  const folders: string[] = [];
  let end = name.length;
  for (const digits of levels === "" ? [] : levels.split(":").map(Number)) {
    folders.push(name.slice(end - digits, end));
    end -= digits;
  }
  return [...folders, name].join("/");
}

function noted(headers: string, name: string): string | null {
  const found = new RegExp(`^${name}:[ \\t]*(.*)$`, "im").exec(headers)?.[1]?.trim();
  if (found === undefined || found === "") return null;
  try {
    return decodeURIComponent(found);
  } catch {
    return found; // Whoever wrote it did not encode it.
  }
}

/**
 * Reads the beginning of a file: a binary head, the line of the key, then the answer as it was received.
 * @returns null for what is no entry (yet): nginx writes elsewhere and renames
 * @source nginx 1.22 src/http/ngx_http_file_cache.c, ngx_http_file_cache_create_key
 */
export function readEntry(beginning: Buffer): EntryFile | null {
  const at = beginning.indexOf(KEY_LINE);
  if (at < 0) return null;
  const end = beginning.indexOf("\n", at + KEY_LINE.length);
  if (end < 0) return null;
  const key = beginning.subarray(at + KEY_LINE.length, end).toString("utf8");
  const headersEnd = beginning.indexOf("\r\n\r\n", end);
  const headers = beginning.subarray(end + 1, headersEnd < 0 ? undefined : headersEnd).toString("latin1");
  return { key, entry: { writtenBy: noted(headers, "x-written-by"), question: noted(headers, "x-question") } };
}
