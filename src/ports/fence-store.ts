import type { Claim, ClaimRequest, FenceOwner, FenceRecord, OwnerAnswer } from "../core/fence/record.ts";

/**
 * What the store said about its own durability. `relaxed`: it may forget an acknowledged write after a crash.
 * `unknown`: it cannot be asked (a managed server that hides its settings).
 */
export interface FenceDurability {
  readonly kind: "durable" | "relaxed" | "unknown";
  /** The settings that were read, for the log: `synchronous_commit=on fsync=on`. */
  readonly found: string;
}

/** How a person settles an unknown outcome: with the result that did happen, or by allowing a new attempt. */
export type Settlement =
  | { readonly kind: "done"; readonly by: string; readonly result: string; readonly retentionMs: number }
  | { readonly kind: "run-again" };

/**
 * Keys, owners and results of the fence. Each call is atomic for its key. A call that fails throws `DriverError`
 * (`unreachable` and `timeout` mean it may or may not have happened; every call may be sent again) and the caller
 * must not run the work. Limits: scope 512 bytes, key 255 and note 256 characters, result 1 MiB unless the store says
 * less.
 */
export interface FenceStore {
  readonly name: string;
  /** Largest `result` in bytes of UTF-8 that the store keeps. */
  readonly resultBytesMax: number;
  /** Asks the server how durable it is; throws `rejected` when that is less than what the store was opened for. */
  check(): Promise<FenceDurability>;
  /** Grants the key to one attempt, or says why not. Exactly one of any number of racing claims is `held`. */
  claim(request: ClaimRequest): Promise<Claim>;
  /**
   * Extends the lease to `leaseMs` from now; 0 ends it at once. False when the owner was replaced. `note` null keeps
   * it.
   */
  renew(owner: FenceOwner, leaseMs: number, note: string | null): Promise<boolean>;
  /** Stores the final result, by the owner only, whatever any clock says. */
  complete(owner: FenceOwner, result: string, retentionMs: number): Promise<OwnerAnswer>;
  /**
   * Gives the key back as if it had never been claimed (a lease keeps its token). False when the owner was replaced.
   */
  release(owner: FenceOwner): Promise<boolean>;
  read(scope: string, key: string): Promise<FenceRecord | null>;
  /** Settles a record that is `unknown` under exactly this token; false when it no longer is. */
  settle(scope: string, key: string, token: number, settlement: Settlement): Promise<boolean>;
  /** Deletes at most `limit` results past their retention; never a locked or unknown record. Returns how many. */
  sweep(limit: number): Promise<number>;
}
