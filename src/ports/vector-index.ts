/** What an index says about itself; stamped inside the store, so that it is read back and not remembered. */
export interface VectorIndexManifest {
  readonly name: string;
  readonly INDEX_HASH: string;
  readonly METRIC: string;
  readonly ANALYZER: string;
  readonly EMBED_SCHEMA: string;
  /** ISO 8601. */
  readonly BUILD_TS: string;
}

export interface VectorHit {
  /** Row of the index, 0..count-1. */
  readonly row: number;
  /** Larger is better on every metric. */
  readonly score: number;
}

/** One immutable vector index. */
export interface VectorIndex {
  readonly count: number;
  readonly manifest: VectorIndexManifest;
  /**
   * The `k` best rows, score descending, ties by row. Fewer when the index is smaller.
   * `vector` has the index's dimensions and is not kept.
   */
  search(vector: Float32Array, k: number): Promise<readonly VectorHit[]>;
}
