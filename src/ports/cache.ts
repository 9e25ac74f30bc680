/** One entry as it is read. */
export interface CachedEntry {
  /** Arm or release that wrote it, as its writer noted; null: nobody noted it. */
  readonly writtenBy: string | null;
  /** The question it answers, as its writer noted; null: nobody noted it, and the entry cannot be asked for again. */
  readonly question: string | null;
}

/** A cache of answers, split by namespace. Every method may be called again. */
export interface CacheDriver {
  readonly name: string;
  readonly can: {
    /** Everything of a namespace can be removed without naming its keys. */
    readonly purgeNamespace: boolean;
    /** Keys of a namespace can be listed. */
    readonly list: boolean;
    /** Removed is removed when `purge` returns; else it is read back until it is. */
    readonly immediate: boolean;
  };
  /**
   * Removes entries of a namespace; `keys` null: all of them, a few at a time and not faster than the product bears.
   * @returns how many, null where it cannot be said
   * @throws DriverError `unsupported` for all of a namespace where `can.purgeNamespace` is false
   */
  purge(namespace: string, keys: readonly string[] | null, signal: AbortSignal): Promise<number | null>;
  /** Null: not cached. */
  read(namespace: string, key: string, signal: AbortSignal): Promise<CachedEntry | null>;
  /**
   * At most `limit` keys of the namespace, asked most first where the product counts, without the namespace.
   * @throws DriverError `unsupported` where `can.list` is false
   */
  topKeys(namespace: string, limit: number, signal: AbortSignal): Promise<readonly string[]>;
  close(): Promise<void>;
}
