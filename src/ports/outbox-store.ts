import { DriverError } from "./driver-error.ts";

/** One event as the business transaction writes it. */
export interface OutboxRow {
  /** Same key, same effect: it is written once, and receivers dedupe by it. 1..255 characters. */
  readonly effectKey: string;
  /** What it is about; the sender chooses the receiver by it. 1..255 characters. */
  readonly topic: string;
  /** At most 1 MiB. Text comes back as text, bytes as bytes. */
  readonly payload: string | Uint8Array;
  /** Rows of one topic and order key leave one after the other, oldest first. Default: no order. 1..255 characters. */
  readonly orderKey?: string | null;
  /** At most 16 KiB as JSON. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Not sent before this time of the store's wall clock. Default: at once. */
  readonly notBeforeEpochMs?: number | null;
}

/** Which of the rows given to `add`, by effect key, were new. */
export interface AddAnswer {
  readonly added: readonly string[];
  /** Written before with the same topic, order key and payload. */
  readonly repeated: readonly string[];
  /** Written before with another one. Nothing was changed: find out who reuses a key for another effect. */
  readonly mismatched: readonly string[];
}

export interface ClaimOrder {
  /** Unique for each run of a relay: a process that starts again is another owner. */
  readonly owner: string;
  /** Token of the grant it sends under; 0 without one. A lower one than the store has seen is refused (I8, I14). */
  readonly epoch: number;
  readonly leaseMs: number;
  readonly limit: number;
  /** Whether a dead letter holds back the younger rows of its order key (`block`) or lets them pass (`skip`). */
  readonly afterDead: "skip" | "block";
}

/** The right to say what came of a row: the owner, under the token of this claim (I22). */
export interface OutboxClaim {
  readonly owner: string;
  readonly id: string;
  readonly token: number;
}

/** A row as the relay gets it. */
export interface ClaimedRow {
  readonly id: string;
  readonly effectKey: string;
  readonly topic: string;
  readonly orderKey: string | null;
  readonly payload: string | Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  /** Grows by one with every claim of the row, replays included. */
  readonly token: number;
  /** Claims since it was written or replayed, this one included; rows given back are not counted. */
  readonly tries: number;
  /** An earlier claim ran out without a word: it may have been sent. */
  readonly doubtful: boolean;
}

export type ClaimedBatch =
  | { readonly kind: "claimed"; readonly rows: readonly ClaimedRow[] }
  /** A newer epoch has claimed here: stop sending. */
  | { readonly kind: "stale-epoch"; readonly epoch: number };

/** `refused`: the receiver will never take it. `tries`: it was tried too often. `unknown`: it may have been sent. */
export type DeathCause = "refused" | "tries" | "unknown";

export interface DeadLetter extends Omit<ClaimedRow, "token" | "doubtful"> {
  readonly because: DeathCause;
  readonly error: string;
  readonly diedAtEpochMs: number;
}

export interface OutboxCounts {
  readonly waiting: number;
  readonly claimed: number;
  readonly sent: number;
  readonly dead: number;
  /** Age of the oldest row that is waiting or claimed; null when there is none. */
  readonly oldestUnsentMs: number | null;
}

/**
 * Rows to be sent, written with the business change and sent by relays. Each call is atomic. A call that fails throws
 * `DriverError`; every call but `add` may be sent again. `Transaction` is what the store's users write within.
 */
export interface OutboxStore<Transaction> {
  readonly name: string;
  /** Writes rows inside the caller's own open transaction: they exist when, and only when, it commits. */
  add(transaction: Transaction, rows: readonly OutboxRow[]): Promise<AddAnswer>;
  /** Claims rows that are due, oldest first; of an order key only the oldest that is not sent. */
  claimBatch(order: ClaimOrder): Promise<ClaimedBatch>;
  /** Returns the ids it marked, also when it is told again. The others are stale: somebody else claimed them since. */
  markSent(claims: readonly OutboxClaim[]): Promise<readonly string[]>;
  /** Back to waiting, due `retryInMs` from now on the store's clock. False: stale. */
  markFailed(claim: OutboxClaim, error: string, retryInMs: number): Promise<boolean>;
  /** A dead letter: kept until a person replays or settles it. False: stale. */
  markDead(claim: OutboxClaim, because: DeathCause, error: string): Promise<boolean>;
  /** Gives back rows that were not sent, as if never claimed. Returns the ids given back. */
  release(claims: readonly OutboxClaim[]): Promise<readonly string[]>;
  /** At most `limit`, oldest row first. */
  deadLetters(limit: number): Promise<readonly DeadLetter[]>;
  /** Sends a dead letter again under the same effect key, with new tries. False: no such dead letter. */
  replay(effectKey: string): Promise<boolean>;
  /** A person found out that a dead letter did arrive, or need not: it counts as sent. False: no such dead letter. */
  settle(effectKey: string, by: string): Promise<boolean>;
  counts(): Promise<OutboxCounts>;
  /** Deletes at most `limit` sent rows past their retention; never any other row. Returns how many. */
  sweep(limit: number): Promise<number>;
}

/** A message as a consumer got it, from an outbox or from a broker. */
export interface InboxMessage {
  /** Who applies it: one name for all releases, so that a message seen by blue is not applied again by green. */
  readonly consumer: string;
  /** Effect key of the sender, the same at every delivery. */
  readonly key: string;
  /** Digest of the content: the same key with another one is refused. Default: none. */
  readonly digest?: string;
  /** What the message is about, with a number that grows: an older revision is not applied. Default: none. */
  readonly subject?: { readonly id: string; readonly revision: number };
}

/**
 * `fresh`: apply it in this transaction. `seen`: applied before. `superseded`: the subject has this revision or a newer
 * one. `mismatch`: the key was used for another content.
 */
export type InboxAnswer = "fresh" | "seen" | "superseded" | "mismatch";

/** The keys that consumers have applied. */
export interface InboxStore<Transaction> {
  readonly name: string;
  /** Writes the key inside the caller's own open transaction; of two at once the second waits for the first's end. */
  claim(transaction: Transaction, message: InboxMessage): Promise<InboxAnswer>;
  /** Deletes at most `limit` keys that no delivery has used for the retention time. Returns how many. */
  sweep(limit: number): Promise<number>;
}

const NAME_CHARACTERS_MAX = 255;
const PAYLOAD_BYTES_MAX = 1_048_576;
const HEADER_BYTES_MAX = 16_384;
/** What UTF-8 text in a database cannot hold: U+0000 and half a surrogate pair. */
const UNSTORABLE = /[\0\uD800-\uDFFF]/u;

const bytesOf = (text: string | Uint8Array) =>
  (typeof text === "string" ? new TextEncoder().encode(text) : text).length;

function problemOf(row: OutboxRow): string | null {
  const names = { effectKey: row.effectKey, topic: row.topic, orderKey: row.orderKey ?? "none" };
  for (const [name, value] of Object.entries(names)) {
    const isGood = value.length >= 1 && value.length <= NAME_CHARACTERS_MAX && !UNSTORABLE.test(value);
    if (!isGood) return `${name} is 1..${NAME_CHARACTERS_MAX} characters of well-formed text: ${JSON.stringify(value)}`;
  }
  const [payload, headers] = [bytesOf(row.payload), bytesOf(JSON.stringify(row.headers ?? {}))];
  if (payload > PAYLOAD_BYTES_MAX)
    return `payload has ${payload} bytes, at most ${PAYLOAD_BYTES_MAX}: send a reference`;
  if (headers > HEADER_BYTES_MAX) return `headers have ${headers} bytes as JSON, at most ${HEADER_BYTES_MAX}`;
  const isText = typeof row.payload === "string";
  if (isText && UNSTORABLE.test(row.payload as string)) {
    return "text payload holds U+0000 or half a surrogate pair: give it as bytes";
  }
  const at = row.notBeforeEpochMs ?? 0;
  return Number.isFinite(at) && at >= 0 ? null : `notBeforeEpochMs is a time in milliseconds: ${at}`;
}

/** Throws `rejected` for the first row that a store cannot keep. Every store asks it before it writes anything. */
export function checkOutboxRows(rows: readonly OutboxRow[]): void {
  for (const row of rows) {
    const problem = problemOf(row);
    if (problem !== null) throw new DriverError("rejected", "never", `outbox row ${row.effectKey}: ${problem}`);
  }
}
