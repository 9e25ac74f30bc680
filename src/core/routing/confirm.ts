import type { RoutingDocument } from "./document.ts";
import type { PlaneReport } from "./lease.ts";

/** What is known of one data plane: the last it said, and what it may still do. */
export interface PlaneWord {
  readonly gatewayId: string;
  /** The document its next request is routed by, as it said last. */
  readonly adopted: { readonly epoch: number; readonly seq: number };
  /** Null from a data plane of version 1, which tells numbers alone. */
  readonly digest: string | null;
  readonly override: PlaneReport["override"];
  /** It looks at no signature. */
  readonly acceptsUnsigned?: boolean;
  readonly refused: PlaneReport["refused"];
  /** It was heard of in the last seconds. */
  readonly isLive: boolean;
  /** Since its last word, in milliseconds; null when it was not heard of since the controller started. */
  readonly silentMs: number | null;
  /** How long it may still hold a lease, in milliseconds; infinite where it needs none to serve the candidate. */
  readonly leaseLeftMs: number;
}

/** How one data plane stands to one document. `gone-stable`: its lease is over, so it serves stable by itself. */
export type Standing = "served" | "override" | "gone-stable" | "waiting";

interface PlaneStanding {
  readonly gatewayId: string;
  readonly standing: Standing;
  /** What it said last and what it may still send, as a sentence for a person. */
  readonly text: string;
  /** It was given this document and does not take it: waiting longer changes nothing. */
  readonly isRefused: boolean;
  /** How long it may still give users to the candidate, in milliseconds; 0 when it cannot, infinite when unknown. */
  readonly candidateLeftMs: number;
}

export interface Confirmation {
  readonly isConfirmed: boolean;
  readonly planes: readonly PlaneStanding[];
}

/** `forward`: a share, a promotion. `back`: nobody may be on the candidate any more. */
export type Direction = "forward" | "back";

/**
 * Whether every data plane that matters serves exactly this document: the same epoch, seq and content. "Newer" is not
 * served, silence is not, a person's override is not.
 * @param digest of the document
 * @source definitions.md §11, "Served", "Confirmed, forward", "Confirmed, back"
 */
export function confirm(
  document: RoutingDocument,
  digest: string,
  words: readonly PlaneWord[],
  direction: Direction,
): Confirmation {
  const planes = words.map((word) => standingOf(document, digest, word, direction));
  const isServedBySome = planes.some(({ standing }) => standing === "served" || standing === "override");
  const isBlocked = planes.some(({ standing }) => standing === "waiting");
  const isReached = direction === "back" ? planes.length > 0 : isServedBySome;
  return { isConfirmed: isReached && !isBlocked, planes };
}

function standingOf(document: RoutingDocument, digest: string, word: PlaneWord, direction: Direction): PlaneStanding {
  const { gatewayId, adopted, override, refused, isLive, silentMs } = word;
  const isThis = adopted.epoch === document.epoch && adopted.seq === document.seq;
  // Only where nothing of this rollout served the candidate without a lease does the end of a lease prove anything.
  const isLeased = (document.lease ?? null) !== null;
  const leftMs = direction === "back" && !isLeased ? Number.POSITIVE_INFINITY : word.leaseLeftMs;
  const heard = silentMs === null ? "not heard of since the controller started" : `last heard ${seconds(silentMs)} ago`;
  const said = word.acceptsUnsigned === true ? `${heard}, accepts unsigned documents` : heard;
  const isRefused = refused !== null && refused.epoch === document.epoch && refused.seq === document.seq;
  const stand = (standing: Standing, text: string, candidateLeftMs: number): PlaneStanding => {
    return { gatewayId, standing, text, candidateLeftMs, isRefused: isRefused && standing === "waiting" };
  };
  const isServed = isThis && (word.digest === null || word.digest === digest);
  // Once that person lets it follow again, only a lease or this very document keeps it on stable.
  if (override !== null && direction === "back" && (isLeased || isServed))
    return stand("override", `a person set it to stable, ${said}`, 0);
  if (isServed && override === null) {
    return stand("served", `serves ${number(document)}, ${said}`, 0);
  }
  const holds = override !== null ? "a person set it to stable" : `routes by ${number(adopted)}`;
  const why = refused === null ? "" : `, did not take ${number(refused)}: ${refused.reason}`;
  if (leftMs <= 0 && (direction === "back" || !isLive)) {
    return stand("gone-stable", `${holds}, ${said}${why}; its lease is over, so it serves stable by itself`, 0);
  }
  const until = leftMs > 0 ? `; may serve the candidate ${bound(leftMs)}` : "";
  return stand("waiting", `${holds}, ${said}${why}${until}`, leftMs);
}

function number({ epoch, seq }: { readonly epoch: number; readonly seq: number }): string {
  return `${epoch}.${seq}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function bound(ms: number): string {
  return Number.isFinite(ms) ? `for ${seconds(ms)} more at most` : "until it hears of the document";
}
