import type { CacheDriver, CachedEntry } from "../../../ports/cache.ts";
import type { Clock } from "../../../ports/clock.ts";
import { type RedisClient, type RedisCommand, redisCommand } from "../../redis.ts";

export interface RedisCacheConfig {
  readonly client: RedisClient;
  readonly clock: Clock;
  /** Pause after each round of at most `ROUND_KEYS` keys, so that the server serves users meanwhile. Default 5. */
  readonly pauseMs?: number;
  /** Ends the client, where it belongs to the driver. */
  readonly close?: () => Promise<void>;
}

const NAME = "cache/redis";
/** Keys that the server looks at in one call, and removes in one. */
const ROUND_KEYS = 500;
/** Keys that are looked at, at most, to find those asked most. */
const LOOKED_AT_MAX = 50_000;

/**
 * KEYS: entry. Returns false, or who wrote it and what was asked, each '' where it is not noted: fields of a hash, or
 * members of a JSON object. The answer itself stays on the server.
 */
const READ = `local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then return false end
local function text(value) return type(value) == 'string' and value or '' end
if kind == 'hash' then
  local found = redis.call('HMGET', KEYS[1], 'written_by', 'question')
  return { text(found[1]), text(found[2]) }
end
if kind == 'string' then
  local isJson, entry = pcall(cjson.decode, redis.call('GET', KEYS[1]))
  if isJson and type(entry) == 'table' then return { text(entry.written_by), text(entry.question) } end
end
return { '', '' }`;

/** KEYS: entries. Returns how often each was asked for, -1 where the server does not count: it does by LFU eviction. */
const FREQUENCIES = `local out = {}
for n = 1, #KEYS do
  local found = redis.pcall('OBJECT', 'FREQ', KEYS[n])
  out[n] = type(found) == 'number' and found or -1
end
return out`;

/** Signs that mean something in a pattern stand for themselves. @source Redis documentation, KEYS */
const asPattern = (namespace: string) => `${namespace.replace(/[\\*?[\]^-]/g, "\\$&")}*`;

/** Rounds of keys of a namespace as SCAN comes upon them; one may come twice. */
async function* rounds(command: RedisCommand, namespace: string, signal: AbortSignal) {
  let cursor = "0";
  do {
    const reply = await command(signal, "SCAN", cursor, "MATCH", asPattern(namespace), "COUNT", ROUND_KEYS);
    const [next, keys] = reply as [string, string[]];
    cursor = String(next);
    yield keys;
  } while (cursor !== "0");
}

/** Entries of one Redis server under a prefix for each arm. */
export function redisCache({ client, clock, pauseMs = 5, close }: RedisCacheConfig): CacheDriver {
  const command = redisCommand(NAME, client);
  const unlink = async (keys: readonly string[], signal: AbortSignal) =>
    keys.length === 0 ? 0 : Number(await command(signal, "UNLINK", ...keys));
  const rest = async (signal: AbortSignal) => {
    await clock.sleep(pauseMs, signal);
    signal.throwIfAborted();
  };
  return {
    name: NAME,
    can: { purgeNamespace: true, list: true, immediate: true },
    async purge(namespace, keys, signal) {
      let removed = 0;
      if (keys === null) {
        for await (const found of rounds(command, namespace, signal)) {
          removed += await unlink(found, signal);
          await rest(signal);
        }
        return removed;
      }
      for (let from = 0; from < keys.length; from += ROUND_KEYS)
        removed += await unlink(
          keys.slice(from, from + ROUND_KEYS).map((key) => namespace + key),
          signal,
        );
      return removed;
    },
    async read(namespace, key, signal) {
      const found = (await command(signal, "EVAL", READ, 1, namespace + key)) as [string, string] | null;
      if (found === null) return null;
      const [writtenBy, question] = found.map((text) => (text === "" ? null : text));
      return { writtenBy: writtenBy ?? null, question: question ?? null } satisfies CachedEntry;
    },
    async topKeys(namespace, limit, signal) {
      const asked = new Map<string, number>();
      for await (const keys of rounds(command, namespace, signal)) {
        if (keys.length > 0) {
          const counts = (await command(signal, "EVAL", FREQUENCIES, keys.length, ...keys)) as number[];
          for (const [place, key] of keys.entries()) asked.set(key, counts[place] ?? -1);
        }
        if (asked.size >= LOOKED_AT_MAX) break;
        await rest(signal);
      }
      const most = [...asked].sort(([, a], [, b]) => b - a).slice(0, limit);
      return most.map(([key]) => key.slice(namespace.length));
    },
    close: async () => close?.(),
  };
}
