import { assert } from "../core/assert.ts";
import type { Transact } from "../fence/outbox/memory-transaction.ts";
import type { ClaimedRow, ClaimOrder, InboxStore, OutboxClaim, OutboxRow, OutboxStore } from "../ports/outbox-store.ts";

/** What a store brings to each case of its conformance run: empty tables of its own. */
export interface OutboxWorld<Transaction> {
  /** One handle; every handle of a world sees the same data, as two processes would. */
  open(): OutboxStore<Transaction>;
  readonly inbox: InboxStore<Transaction>;
  readonly transact: Transact<Transaction>;
  /** Lets at least `ms` pass on the store's clock. */
  advance(ms: number): Promise<void>;
  /** The store's wall clock. */
  wallMs(): number;
  /** A lease time the store's clock resolves well, e.g. 300 on a real server. */
  readonly leaseMs: number;
  /** Outbox and inbox are opened with it; longer than a case's calls take, and short enough to wait for. */
  readonly retentionMs: number;
}

export interface OutboxCase {
  readonly name: string;
  run(world: OutboxWorld<unknown>): Promise<void>;
}

/** A lease longer than any case takes, in ms. */
export const KEEP_MS = 60_000;

/** Fails unless both are the same as JSON. */
export function equal(found: unknown, wanted: unknown, what: string): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  assert(a === b, `${what}: expected ${b}, found ${a}`);
}

/** A row about which only the key matters. */
export function rowOf(effectKey: string, more: Partial<OutboxRow> = {}): OutboxRow {
  return { effectKey, topic: "order", payload: effectKey, ...more };
}

/** Adds rows in a transaction of their own. */
export function addRows(world: OutboxWorld<unknown>, ...rows: readonly OutboxRow[]) {
  return world.transact((transaction) => world.open().add(transaction, rows));
}

/** Claims for a relay called `owner`; fails on a stale epoch. */
export async function claimAs(
  store: OutboxStore<unknown>,
  owner: string,
  more: Partial<ClaimOrder> = {},
): Promise<readonly ClaimedRow[]> {
  const batch = await store.claimBatch({ owner, epoch: 0, leaseMs: KEEP_MS, limit: 100, afterDead: "skip", ...more });
  assert(batch.kind === "claimed", `a claim of ${owner} is granted, found ${JSON.stringify(batch)}`);
  return batch.rows;
}

/** The right to mark a row that `owner` claimed. */
export function claimOf(owner: string, row: ClaimedRow | undefined): OutboxClaim {
  assert(row !== undefined, `${owner} claimed a row, found none`);
  return { owner, id: row.id, token: row.token };
}

export const keysOf = (rows: readonly { readonly effectKey: string }[]) => rows.map(({ effectKey }) => effectKey);
