import type { InboxMessage, InboxStore } from "../../ports/outbox-store.ts";
import type { Transact } from "./memory-transaction.ts";

export type ConsumeOutcome<R> =
  | { readonly kind: "applied"; readonly result: R }
  /** Nothing was run: applied before, or the subject is already at this revision or a newer one. */
  | { readonly kind: "seen" | "superseded" }
  /** Nothing was run: the key belongs to another content. Park the message where an operator sees it. */
  | { readonly kind: "mismatch" };

/**
 * Applies a message at most once: its key and what `work` writes through the same transaction commit or vanish
 * together. Nothing has happened until the caller commits; a throw of `work` must roll back.
 */
export async function consumeOnce<Transaction, R>(
  transaction: Transaction,
  inbox: InboxStore<Transaction>,
  message: InboxMessage,
  work: (transaction: Transaction) => Promise<R>,
): Promise<ConsumeOutcome<R>> {
  const answer = await inbox.claim(transaction, message);
  return answer === "fresh" ? { kind: "applied", result: await work(transaction) } : { kind: answer };
}

export interface ConsumeTurn<Transaction, R> {
  /** Runs work in a transaction and commits it; a throw rolls back and is passed on. */
  readonly transact: Transact<Transaction>;
  readonly inbox: InboxStore<Transaction>;
  readonly message: InboxMessage;
  readonly work: (transaction: Transaction) => Promise<R>;
  /** Acknowledges the message at the broker. */
  readonly commitOffset: () => Promise<void>;
}

/**
 * One turn of a consumer: the offset is committed only after the transaction with the effect is. A crash between the
 * two delivers the message again, which is then `seen`. The offset of a `mismatch` is left to the caller.
 * @source requirements.md QJ-6, X-22
 */
export async function consumeThenCommit<Transaction, R>(turn: ConsumeTurn<Transaction, R>): Promise<ConsumeOutcome<R>> {
  const { transact, inbox, message, work, commitOffset } = turn;
  const outcome = await transact((transaction) => consumeOnce(transaction, inbox, message, work));
  if (outcome.kind !== "mismatch") await commitOffset();
  return outcome;
}
