import type { IndexFacts } from "../../../core/release/index-facts.ts";
import type { IndexAliases } from "../../../ports/index-alias.ts";
import { type AliasRecord, type AliasRecords, flipRecord } from "../flip-rule.ts";

/** What a store in memory holds; every handle on it sees the same. */
export interface MemoryIndexes {
  readonly indexes: Map<string, IndexFacts>;
  readonly aliases: Map<string, AliasRecord>;
}

/** Indexes in memory that hold nothing but what is said of them. The driver to copy when writing one. */
export function memoryIndexAliases({ indexes, aliases }: MemoryIndexes): IndexAliases {
  const records: AliasRecords = {
    read: async (alias) => aliases.get(alias) ?? null,
    async replace(alias, read, next) {
      if ((aliases.get(alias) ?? null) !== read) return false;
      aliases.set(alias, next);
      return true;
    },
    hasIndex: async (index) => indexes.has(index),
  };
  return {
    name: "memory",
    can: { alias: "pointer", compareAndSet: true, epochs: true, immediate: true },
    async describe(index, signal) {
      signal.throwIfAborted();
      return indexes.get(index) ?? null;
    },
    async readAlias(alias, signal) {
      signal.throwIfAborted();
      return aliases.get(alias) ?? null;
    },
    async flip(flip, signal) {
      signal.throwIfAborted();
      return flipRecord(records, flip, signal);
    },
    async readThrough(alias, signal) {
      signal.throwIfAborted();
      const target = aliases.get(alias);
      return target === undefined ? [] : [indexes.get(target.index)?.stamp?.indexHash ?? null];
    },
    close: async () => {},
  };
}
