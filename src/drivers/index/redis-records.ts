import { z } from "zod";
import { DriverError } from "../../ports/driver-error.ts";
import type { RedisCommand } from "../redis.ts";
import type { AliasRecord, AliasRecords } from "./flip-rule.ts";

export const NAME = "index/redis";

/**
 * KEYS: record of the name. ARGV: its text as it was read, empty for none; the next text. One key, so that it runs on a
 * cluster too. Redis runs nothing between the lines of a script.
 */
const REPLACE = `
local now = redis.call('GET', KEYS[1])
if (now or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1`;

const record = z.strictObject({ index: z.string(), epoch: z.number().int(), previous: z.string().nullable() });

/** Keys of a deployment. */
export interface RedisKeys {
  readonly alias: (alias: string) => string;
  readonly index: (index: string) => string;
}

/** Keys hold the names as they are. */
export function keysOf(prefix: string): RedisKeys {
  return { alias: (alias) => `${prefix}:alias:${alias}`, index: (index) => `${prefix}:index:${index}` };
}

function textOf({ index, epoch, previous }: AliasRecord): string {
  return JSON.stringify({ index, epoch, previous });
}

/** A record as its text says; one that somebody wrote otherwise is nothing to go on from. */
function recordOf(key: string, text: string): AliasRecord {
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch {
    // What is no JSON is no record either.
  }
  const read = record.safeParse(value);
  if (read.success) return read.data;
  const expected = 'expected {"index": …, "epoch": …, "previous": …}';
  throw new DriverError(
    "rejected",
    "never",
    `${NAME}: ${key} holds no record of a name; ${expected}; see who wrote it`,
  );
}

/** Records of public names, a key each. */
export function redisRecords(command: RedisCommand, keys: RedisKeys): AliasRecords {
  /** As it was stored: whitespace that a person put there must not make every flip lose. */
  const texts = new WeakMap<AliasRecord, string>();
  return {
    async read(alias, signal) {
      const text = await command(signal, "GET", keys.alias(alias));
      if (typeof text !== "string") return null;
      const found = recordOf(keys.alias(alias), text);
      texts.set(found, text);
      return found;
    },
    async replace(alias, read, next, signal) {
      const was = read === null ? "" : (texts.get(read) ?? textOf(read));
      return (await command(signal, "EVAL", REPLACE, 1, keys.alias(alias), was, textOf(next))) === 1;
    },
    async hasIndex(index, signal) {
      return (await command(signal, "EXISTS", keys.index(index))) === 1;
    },
  };
}
