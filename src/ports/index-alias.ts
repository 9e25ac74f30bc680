/** What one index says of itself now. Null is what its store cannot say, and no guess. */
export interface IndexFacts {
  readonly name: string;
  /** Rows that can be found. */
  readonly count: number;
  readonly dims: number | null;
  /** cosine, l2 or ip, whatever the store calls it. */
  readonly metric: string | null;
  readonly analyzer: string | null;
  /** Stamped inside the store when the index was built; null: nobody stamped it. */
  readonly indexHash: string | null;
  /** Why it does not serve all it holds yet, such as a build that runs; null when it does. */
  readonly notReady: string | null;
}

/** Where a public name points, and the epoch of whoever moved it last; null where the store keeps none. */
export interface AliasTarget {
  readonly index: string;
  readonly epoch: number | null;
}

export interface AliasFlip {
  readonly alias: string;
  /** What the name must point to now, else nothing is moved. */
  readonly from: string;
  readonly to: string;
  /** Fencing token: a lower one than the name was moved by is refused. */
  readonly epoch: number;
}

/** `moved`: by this flip, or by the same one before; `refused`: somebody else moved it, or the epoch is too low. */
export type FlipResult =
  | { readonly kind: "moved" }
  | { readonly kind: "refused"; readonly found: AliasTarget | null; readonly why: string };

/** A vector store whose public name can be moved from one index to another. Every method may be called again. */
export interface IndexAliases {
  readonly name: string;
  readonly can: {
    /** Who keeps the public name: the store as an alias, or a row or key with one writer beside it. */
    readonly alias: "native" | "pointer";
    /** The store itself refuses a flip from another index than `from`; else it is asked first, which leaves a gap. */
    readonly compareAndSet: boolean;
    /** After `readAlias` says so, every reader meets the new index. */
    readonly immediate: boolean;
  };
  /** Null when there is no such index. */
  describe(index: string, signal: AbortSignal): Promise<IndexFacts | null>;
  /** What the store says the name points to now; null when there is no such name. Never the last order echoed. */
  readAlias(alias: string, signal: AbortSignal): Promise<AliasTarget | null>;
  flip(flip: AliasFlip, signal: AbortSignal): Promise<FlipResult>;
  /** The INDEX_HASH that readers meet through the name, one of each replica that can be asked; null: not stamped. */
  readThrough(alias: string, signal: AbortSignal): Promise<readonly (string | null)[]>;
  close(): Promise<void>;
}
