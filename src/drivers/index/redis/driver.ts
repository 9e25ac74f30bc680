import type { IndexAliases } from "../../../ports/index-alias.ts";
import { type RedisClient, redisCommand } from "../../redis.ts";
import { flipRecord } from "../flip-rule.ts";
import { factsOf } from "./facts.ts";
import { keysOf, NAME, redisRecords } from "../redis-records.ts";

export interface RedisIndexConfig {
  readonly client: RedisClient;
  /** Prefix of every key. Default `sluice-index`. */
  readonly prefix?: string;
  /** Ends what the driver alone uses. */
  readonly close?: () => Promise<void>;
}

/**
 * Names for stores without aliases of their own: one key a name with one writer, compared and set by a script. What an
 * index is stands in a key beside it, written by whoever built the index wherever its vectors are.
 */
export function redisIndexAliases({ client, prefix = "sluice-index", close }: RedisIndexConfig): IndexAliases {
  const [command, keys] = [redisCommand(NAME, client), keysOf(prefix)];
  const records = redisRecords(command, keys);
  return {
    name: NAME,
    can: { alias: "pointer", compareAndSet: true, epochs: true, immediate: true },
    async describe(index, signal) {
      const text = await command(signal, "GET", keys.index(index));
      return typeof text === "string" ? factsOf(index, keys.index(index), text) : null;
    },
    readAlias: (alias, signal) => records.read(alias, signal),
    flip: (flip, signal) => flipRecord(records, flip, signal),
    async readThrough(alias, signal) {
      // Two questions, because on a cluster the keys may be on two servers.
      const target = await records.read(alias, signal);
      if (target === null) return [];
      const key = keys.index(target.index);
      const text = await command(signal, "GET", key);
      return [typeof text === "string" ? (factsOf(target.index, key, text).stamp?.indexHash ?? null) : null];
    },
    close: async () => close?.(),
  };
}
