/** What was written into an index when it was built, by whoever built it. @source definitions.md §6 */
export interface IndexStamp {
  readonly indexHash: string;
  readonly metric: string;
  readonly analyzer: string;
  readonly embedSchema: string;
  /** ISO 8601; no part of what an index is. */
  readonly builtAt: string;
  /** Chunks that INDEX_HASH is made of. */
  readonly count: number;
}

/** What one index says of itself now. Null is what its store cannot say, and no guess. */
export interface IndexFacts {
  readonly name: string;
  /** Rows that can be found, as the store counts them. */
  readonly count: number;
  readonly dims: number | null;
  /** What the store itself compares vectors by: cosine, l2 or ip, whatever it calls them. */
  readonly metric: string | null;
  /** How the store itself takes texts apart; null where it takes none. */
  readonly analyzer: string | null;
  /** Kept inside the store, so that it is read back and not remembered; null: nobody stamped this index. */
  readonly stamp: IndexStamp | null;
  /** Why it does not serve all it holds yet, such as a build that runs; null when it does. */
  readonly notReady: string | null;
}
