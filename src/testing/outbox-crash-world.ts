import type { Transact } from "../fence/outbox/memory-transaction.ts";
import type { Clock } from "../ports/clock.ts";
import type { InboxStore, OutboxRow, OutboxStore } from "../ports/outbox-store.ts";

export type Colour = "blue" | "green";

/** Producer, outbox and receiver of one crash run: empty tables of its own. */
export interface OutboxCrashWorld<Transaction> {
  /** The outbox as one colour's processes see it. */
  open(colour: Colour): OutboxStore<Transaction>;
  /** The receiver's inbox. */
  readonly inbox: InboxStore<Transaction>;
  readonly transact: Transact<Transaction>;
  /** A business row, of the producer or of the receiver; nothing but the fence keeps it from being written twice. */
  write(transaction: Transaction, table: "ordered" | "applied", key: string): Promise<void>;
  /** The rows committed so far, in the order they were written. */
  read(table: "ordered" | "applied"): Promise<readonly string[]>;
  readonly clock: Clock;
}

export interface OutboxCrashPlan {
  readonly seed: number;
  readonly events: number;
  /** Deliveries of each send. */
  readonly copies: number;
  /** Chance of dying at each point passed, 0..1. */
  readonly crashShare: number;
  /** Relay processes of each colour. */
  readonly relays: number;
  /** Sends at once of each process, and producers at once. */
  readonly concurrency: number;
  readonly leaseMs: number;
  /** Every second event has one of this many order keys. */
  readonly orderKeys: number;
  readonly prefix: string;
}

/** The number in an effect key that `rowOfEvent` made. */
export const eventOf = (effectKey: string) => Number(effectKey.slice(effectKey.lastIndexOf("-") + 1));

/** The order key of an event; null for those that may leave in any order. */
export const orderKeyOf = (plan: OutboxCrashPlan, event: number) =>
  event % 2 === 0 ? `o-${(event / 2) % plan.orderKeys}` : null;

/** The outbox row of an event, the same at every try to write it. */
export function rowOfEvent(plan: OutboxCrashPlan, event: number): OutboxRow {
  const payload = JSON.stringify({ event });
  return { effectKey: `${plan.prefix}-${event}`, topic: "order", payload, orderKey: orderKeyOf(plan, event) };
}
