/** One entry as it is read: who wrote it. */
export interface CachedEntry {
  /** Arm that wrote it, as its writer noted; null: nobody noted it. */
  readonly writtenBy: string | null;
}

/** A cache of answers, split by namespace. Every method may be called again. */
export interface CacheDriver {
  readonly name: string;
  readonly can: {
    /** Everything of a namespace can be removed without naming its keys. */
    readonly purgeNamespace: boolean;
    /** Removed is removed when `purge` returns; else it is read back until it is. */
    readonly immediate: boolean;
  };
  /** Removes entries of a namespace; `keys` null: all of them. @returns how many, null where it cannot be said */
  purge(namespace: string, keys: readonly string[] | null, signal: AbortSignal): Promise<number | null>;
  /** Null: not cached. */
  read(namespace: string, key: string, signal: AbortSignal): Promise<CachedEntry | null>;
  /** At most `limit` keys of the namespace, asked most first where the product counts, without the namespace. */
  topKeys(namespace: string, limit: number, signal: AbortSignal): Promise<readonly string[]>;
  close(): Promise<void>;
}
