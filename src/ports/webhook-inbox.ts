import type { EpochMs } from "../core/unit.ts";
import type { FenceDurability } from "./fence-store.ts";

/** One verified webhook, ready to be kept. */
export interface InboxOrder {
  /** 64 hexadecimal characters; two deliveries of one event have the same, whatever release or region received them. */
  readonly dedupeKey: string;
  readonly tenant: string;
  readonly provider: string;
  readonly endpoint: string;
  /** The sender's id of the event, or the digest of its body where the sender gives none. */
  readonly eventId: string;
  /** What is to be done about it; one event may be kept once for each action. */
  readonly action: string;
  /** Integer >= 0, growing with every change of the event's subject; null where the sender has none. */
  readonly revision: number | null;
  /** SHA-256 of the raw body: the same key with another digest is a conflict. */
  readonly digest: string;
  readonly body: Uint8Array;
  /** The headers worth keeping, lower-case; no credentials. */
  readonly headers: Readonly<Record<string, string>>;
  /** Wall clock of the receiver. For people; the window runs on the inbox's own clock. */
  readonly receivedAt: EpochMs;
  /** How long the key is remembered after its last delivery. */
  readonly retainMs: number;
}

export type AcceptAnswer =
  /** Kept and queued, in one transaction: acknowledge it, the work will be done. */
  | { readonly kind: "accepted" }
  /** Kept before: acknowledge it and do nothing. Its window starts anew. */
  | { readonly kind: "duplicate" }
  /** The key was used for another body. Refuse it and tell somebody. */
  | { readonly kind: "conflict" }
  /** A newer revision was accepted before: recorded, never queued. Acknowledge it. */
  | { readonly kind: "superseded" };

/** `dead`: given up, kept until a person settles it. `superseded`: recorded, never to be worked on. */
export type InboxState = "queued" | "done" | "dead" | "superseded";

/** A kept webhook as an operator sees it. */
export interface InboxEntry extends Omit<InboxOrder, "retainMs"> {
  readonly state: InboxState;
  /** Times it was delivered, the first one included; conflicting bodies not counted. */
  readonly deliveries: number;
  /** Times its key came with another body. */
  readonly conflicts: number;
  /** Times it was taken to be worked on. */
  readonly takes: number;
  /** Why it was given back or given up; null before. */
  readonly reason: string | null;
}

/** What a worker says of the webhook it took. */
export type InboxResult =
  | { readonly kind: "done" }
  | { readonly kind: "again"; readonly delayMs: number; readonly reason: string }
  | { readonly kind: "dead"; readonly reason: string };

/**
 * Where received webhooks wait to be worked on. Each call is atomic. A call that fails throws `DriverError`, and may or
 * may not have happened; every call may be sent again. Limits: names 255 and reasons 256 characters, body 1 MiB.
 */
export interface WebhookInbox {
  readonly name: string;
  /** Asks the server how durable it is; throws `rejected` when that is less than what the inbox was opened for. */
  check(): Promise<FenceDurability>;
  /** Claims the dedupe key and queues the webhook in one transaction: no crash can leave one without the other. */
  accept(order: InboxOrder): Promise<AcceptAnswer>;
  /**
   * Hands out up to `limit` queued webhooks, oldest first, for `leaseMs`; one not settled by then is handed out again.
   * Revisions of one event are handed out in order, one at a time. The effect must run under the dedupe key (`once`),
   * because a worker that died may have done it.
   */
  take(limit: number, leaseMs: number): Promise<readonly InboxEntry[]>;
  /**
   * Ends one take. False when it was handed out again since: then somebody else answers for it. `done` forgets the body
   * and keeps the key.
   */
  settle(entry: Pick<InboxEntry, "dedupeKey" | "takes">, result: InboxResult): Promise<boolean>;
  read(dedupeKey: string): Promise<InboxEntry | null>;
  /** Entries that were given up, oldest first. */
  listDead(limit: number): Promise<readonly InboxEntry[]>;
  /** Queues a dead entry again, under the same dedupe key. False when it is not dead. */
  revive(dedupeKey: string): Promise<boolean>;
  /** Forgets at most `limit` done or superseded entries past their window. Returns how many. */
  sweep(limit: number): Promise<number>;
}
