import type { Confirmation, Direction } from "../core/routing/confirm.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import type { Bp } from "../core/unit.ts";

/** What a data plane says it serves: the document in force everywhere, and the share it was seen to route. */
export interface ServedSplit {
  readonly epoch: number;
  readonly seq: number;
  /** Null when only the document's number is known. */
  readonly candidateBp: Bp | null;
}

/** The data plane of a service. "Accepted" is not "served": only `read` tells what users meet. */
export interface TrafficDriver {
  readonly name: string;
  readonly can: { readonly readBack: boolean; readonly sticky: boolean };
  /** Null when orders for the service can be carried out, else what is missing and what to do. */
  check(service: string, signal: AbortSignal): Promise<string | null>;
  /** Idempotent. Refuses a document older than the newest it accepted with `stale-token`. */
  apply(document: RoutingDocument, signal: AbortSignal): Promise<void>;
  /** The oldest document any part of the data plane still serves; "unknown" when it cannot say. Never an echo. */
  read(service: string, signal: AbortSignal): Promise<ServedSplit | "unknown">;
  /** Whether exactly this document is served, by the rules of definitions.md §11. Never an echo. */
  confirm(document: RoutingDocument, direction: Direction, signal: AbortSignal): Promise<Confirmation>;
  /** Forgets the service; traffic stays as the last document left it. Idempotent. */
  release(service: string, signal: AbortSignal): Promise<void>;
}
