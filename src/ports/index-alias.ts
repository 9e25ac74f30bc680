import type { IndexFacts } from "../core/release/index-facts.ts";

/** Where a public name points. */
export interface AliasTarget {
  readonly index: string;
  /** Of whoever moved it last; null where the store keeps none. */
  readonly epoch: number | null;
  /** Where it pointed before; null where it never did, or where the store keeps none. */
  readonly previous: string | null;
}

export interface AliasFlip {
  readonly alias: string;
  /** What the name must point to now, else nothing is moved. Null: there must be no such name yet; it is made. */
  readonly from: string | null;
  readonly to: string;
  /**
   * Fencing token: a lower one than the name was moved by is refused, and an equal one unless it is the same flip
   * again. Where the store keeps no epoch it is not looked at.
   */
  readonly epoch: number;
}

/**
 * `moved`: by this flip, or by the same one before; `refused`: nothing was moved, because somebody else moved it, the
 * epoch is too low, or there is no such name or index.
 */
export type FlipResult =
  | { readonly kind: "moved" }
  | { readonly kind: "refused"; readonly found: AliasTarget | null; readonly why: string };

/**
 * A vector store whose public name can be moved from one index to another. Every method may be called again; none
 * removes or changes an index. Each rejects with the signal's reason once that has aborted, else with DriverError.
 */
export interface IndexAliases {
  readonly name: string;
  readonly can: {
    /** Who keeps the public name: the store as an alias, or a row or key with one writer beside it. */
    readonly alias: "native" | "pointer";
    /** The store itself refuses a flip from another index than `from`; else it is asked first, which leaves a gap. */
    readonly compareAndSet: boolean;
    /** Fencing tokens are kept, so that a late flip is refused after the name came back to `from`. */
    readonly epochs: boolean;
    /** After `readAlias` says so, every reader meets the new index. */
    readonly immediate: boolean;
  };
  /** Null when there is no such index. */
  describe(index: string, signal: AbortSignal): Promise<IndexFacts | null>;
  /** What the store says the name points to now; null when there is no such name. Never the last order echoed. */
  readAlias(alias: string, signal: AbortSignal): Promise<AliasTarget | null>;
  flip(flip: AliasFlip, signal: AbortSignal): Promise<FlipResult>;
  /**
   * The INDEX_HASH that readers meet through the name, one of each replica that can be asked; null: not stamped. None
   * at all when there is no such name.
   */
  readThrough(alias: string, signal: AbortSignal): Promise<readonly (string | null)[]>;
  close(): Promise<void>;
}
