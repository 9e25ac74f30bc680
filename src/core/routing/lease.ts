import { canonicalJson } from "../canonical-json.ts";

/** What a data plane says of itself in a request to its controller. @source definitions.md §11 */
export interface PlaneReport {
  /** Version of routing documents it reads. */
  readonly version: number;
  /** Its name, the same over restarts. */
  readonly id: string;
  /** Digest of the document that its next request will be routed by. */
  readonly digest: string;
  /** Unpredictable and used once: the answer is proven over it. */
  readonly nonce: string;
  /** How long its lease still runs at most, in milliseconds; 0 without one. */
  readonly leaseLeftMs: number;
  /** A person told it to serve stable alone. */
  readonly override: "stable" | null;
  /** Why it took the last document that it did not take; null when it follows. */
  readonly refused: { readonly epoch: number; readonly seq: number; readonly reason: string } | null;
  /** Which one of this start it is, from 0: on the way they may overtake one another. Absent from an older version. */
  readonly number?: number | undefined;
  /** The nonce of the first report of this start: a name may live on where the count begins anew. */
  readonly start?: string | undefined;
  /** It will take no request any more. */
  readonly isLeaving: boolean;
  /** A person told it to look at no signature: whoever gets between it and its controller orders its traffic. */
  readonly acceptsUnsigned?: boolean | undefined;
  /** Region it stands in; absent where it was told none. */
  readonly region?: string | undefined;
}

/** What a controller answers to a report when it may: the lease runs from the moment the report was sent. */
export interface LeaseGrant {
  readonly store: string;
  /** Grows with every process that took the store over. */
  readonly owner: number;
  readonly epoch: number;
  readonly seq: number;
  readonly digest: string;
  readonly ms: number;
  /** By the credential of the report. Whoever was sent it can make it, so it counts where nothing is signed. */
  readonly proof: string;
  /** By the controller's key, over the same text; absent from a controller that signs nothing. */
  readonly kid?: string;
  readonly signature?: string;
}

/** The text that a grant's proof is made over: everything it says, for one plane and one request. */
export function leaseText(
  planeId: string,
  nonce: string,
  grant: Omit<LeaseGrant, "proof" | "kid" | "signature">,
): string {
  const { store, owner, epoch, seq, digest, ms } = grant;
  return canonicalJson({ lease: 1, planeId, nonce, store, owner, epoch, seq, digest, ms });
}
