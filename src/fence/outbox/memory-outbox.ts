import { assert } from "../../core/assert.ts";
import type { Clock } from "../../ports/clock.ts";
import {
  type ClaimedRow,
  type ClaimOrder,
  checkOutboxRows,
  type DeathCause,
  type InboxStore,
  type OutboxClaim,
  type OutboxRow,
  type OutboxStore,
} from "../../ports/outbox-store.ts";
import { RETENTION_MS } from "../retention.ts";
import { systemClock } from "../system.ts";
import { memoryInbox } from "./memory-inbox.ts";
import { type MemoryTransaction, memoryTransactions, type Transact } from "./memory-transaction.ts";

/** An outbox in this process's memory, with an inbox and the transactions both are written in. */
export interface MemoryOutbox {
  readonly outbox: OutboxStore<MemoryTransaction>;
  readonly inbox: InboxStore<MemoryTransaction>;
  readonly transact: Transact<MemoryTransaction>;
}

/** One row. `dueAtMs`, `settledAtMs` and `createdAtMs` are monotonic; a claimed row is due when its lease ends. */
interface Kept extends ClaimedRow {
  readonly state: "waiting" | "claimed" | "sent" | "dead";
  readonly dueAtMs: number;
  readonly notBeforeEpochMs: number;
  readonly lockedBy: string | null;
  readonly error: string;
  readonly because: DeathCause | null;
  readonly createdAtMs: number;
  readonly settledAtMs: number;
  readonly diedAtEpochMs: number;
}

function keptOf(row: OutboxRow, id: string, nowMs: number): Kept {
  const { effectKey, topic, payload, orderKey = null, headers = {} } = row;
  const data = { id, effectKey, topic, payload, orderKey, headers, notBeforeEpochMs: row.notBeforeEpochMs ?? 0 };
  const fresh = { state: "waiting", dueAtMs: nowMs, token: 0, tries: 0, doubtful: false, lockedBy: null } as const;
  return { ...data, ...fresh, error: "", because: null, createdAtMs: nowMs, settledAtMs: 0, diedAtEpochMs: 0 };
}

function claimedOf(row: Kept): ClaimedRow {
  const { id, effectKey, topic, orderKey, payload, headers, token, tries, doubtful } = row;
  return { id, effectKey, topic, orderKey, payload, headers, token, tries, doubtful };
}

function isSamePayload(a: string | Uint8Array, b: string | Uint8Array): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function isSameEvent(kept: Kept, row: OutboxRow): boolean {
  const isSamePlace = kept.topic === row.topic && kept.orderKey === (row.orderKey ?? null);
  return isSamePlace && isSamePayload(kept.payload, row.payload);
}

/** Rows by id in the order they were committed, apart from the sent ones, which nothing scans. */
function rowsOf() {
  const [unsent, sent] = [new Map<string, Kept>(), new Map<string, Kept>()];
  const byKey = new Map<string, string>();
  return {
    unsent,
    sent,
    get: (id: string) => unsent.get(id) ?? sent.get(id),
    find: (effectKey: string) => {
      const id = byKey.get(effectKey);
      return id === undefined ? undefined : (unsent.get(id) ?? sent.get(id));
    },
    put(row: Kept) {
      byKey.set(row.effectKey, row.id);
      if (row.state !== "sent") unsent.set(row.id, row);
      else {
        unsent.delete(row.id);
        sent.set(row.id, row);
      }
    },
    drop(row: Kept) {
      sent.delete(row.id);
      byKey.delete(row.effectKey);
    },
  };
}

type Rows = ReturnType<typeof rowsOf>;

/** Adds rows to a transaction; what it has added before is seen by it alone. */
function adderOf(rows: Rows, clock: Clock) {
  const staged = new WeakMap<MemoryTransaction, Map<string, Kept>>();
  let lastId = 0;
  return (transaction: MemoryTransaction, given: readonly OutboxRow[]) => {
    checkOutboxRows(given);
    const own = staged.get(transaction) ?? new Map<string, Kept>();
    staged.set(transaction, own);
    const answer = { added: [] as string[], repeated: [] as string[], mismatched: [] as string[] };
    for (const row of given) {
      const before = own.get(row.effectKey) ?? rows.find(row.effectKey);
      const list = before === undefined ? "added" : isSameEvent(before, row) ? "repeated" : "mismatched";
      answer[list].push(row.effectKey);
      if (before !== undefined) continue;
      const kept = keptOf(row, `${++lastId}`, clock.monoMs());
      own.set(row.effectKey, kept);
      transaction.onCommit(() => rows.put(kept));
    }
    return answer;
  };
}

/** The rows a claim may have: due, and of an order key only the oldest that is not sent. */
function claimable(rows: Rows, order: ClaimOrder, clock: Clock): readonly Kept[] {
  const [found, heads]: [Kept[], Set<string>] = [[], new Set()];
  for (const row of rows.unsent.values()) {
    if (found.length >= order.limit) break;
    if (row.state === "dead" && order.afterDead === "skip") continue;
    const place = row.orderKey === null ? row.id : JSON.stringify([row.topic, row.orderKey]);
    const isHead = !heads.has(place);
    heads.add(place);
    const isDue = row.dueAtMs <= clock.monoMs() && row.notBeforeEpochMs <= clock.wallMs();
    if (isHead && isDue && row.state !== "dead") found.push(row);
  }
  return found;
}

type Marks = Pick<OutboxStore<never>, "markSent" | "markFailed" | "markDead" | "release">;

/** What the owner of a claim may write; `again` are the states in which it may say the same once more. */
function marksOf(rows: Rows, clock: Clock): Marks {
  const owned = (claim: OutboxClaim, again?: Kept["state"]): Kept | null => {
    const row = rows.get(claim.id);
    const isOwner = row?.lockedBy === claim.owner && row.token === claim.token;
    return isOwner && (row.state === "claimed" || row.state === again) ? row : null;
  };
  const mark = (claim: OutboxClaim, again: Kept["state"] | undefined, change: (row: Kept) => Partial<Kept>) => {
    const row = owned(claim, again);
    if (row !== null) rows.put({ ...row, ...change(row) });
    return row !== null;
  };
  const idsOf = (claims: readonly OutboxClaim[]) => claims.map(({ id }) => id);
  return {
    async markSent(claims) {
      const settledAtMs = clock.monoMs();
      return idsOf(claims.filter((claim) => mark(claim, "sent", () => ({ state: "sent", error: "", settledAtMs }))));
    },
    async markFailed(claim, error, retryInMs) {
      return mark(claim, "waiting", () => ({ state: "waiting", error, dueAtMs: clock.monoMs() + retryInMs }));
    },
    async markDead(claim, because, error) {
      return mark(claim, "dead", () => ({ state: "dead", because, error, diedAtEpochMs: clock.wallMs() }));
    },
    async release(claims) {
      const back = (row: Kept) => ({ state: "waiting", tries: row.tries - 1, dueAtMs: clock.monoMs() }) as const;
      return idsOf(claims.filter((claim) => mark(claim, undefined, back)));
    },
  };
}

type Desk = Pick<OutboxStore<never>, "deadLetters" | "replay" | "settle" | "counts" | "sweep">;

/** What operators see and do. */
function deskOf(rows: Rows, clock: Clock, retentionMs: number): Desk {
  const dead = () => [...rows.unsent.values()].filter(({ state }) => state === "dead");
  const change = (effectKey: string, to: Partial<Kept>) => {
    const row = rows.find(effectKey);
    if (row?.state !== "dead") return false;
    rows.put({ ...row, ...to, because: null });
    return true;
  };
  return {
    async deadLetters(limit) {
      return dead()
        .slice(0, limit)
        .map((row) => {
          const { token: _, doubtful: __, ...event } = claimedOf(row);
          const { because, error, diedAtEpochMs } = row;
          return { ...event, because: because as DeathCause, error, diedAtEpochMs };
        });
    },
    async replay(effectKey) {
      const due = { state: "waiting", dueAtMs: clock.monoMs(), notBeforeEpochMs: 0 } as const;
      return change(effectKey, { ...due, tries: 0, doubtful: false, lockedBy: null });
    },
    async settle(effectKey, by) {
      return change(effectKey, { state: "sent", lockedBy: `settled:${by}`, settledAtMs: clock.monoMs() });
    },
    async counts() {
      const all = [...rows.unsent.values()];
      const live = all.filter(({ state }) => state !== "dead");
      const waiting = live.filter(({ state }) => state === "waiting").length;
      const oldestUnsentMs = live[0] === undefined ? null : clock.monoMs() - live[0].createdAtMs;
      const [claimed, sent] = [live.length - waiting, rows.sent.size];
      return { waiting, claimed, sent, dead: all.length - live.length, oldestUnsentMs };
    },
    async sweep(limit) {
      const old = [...rows.sent.values()].filter(({ settledAtMs }) => settledAtMs + retentionMs <= clock.monoMs());
      for (const row of old.slice(0, limit)) rows.drop(row);
      return Math.min(limit, old.length);
    },
  };
}

/**
 * For tests, and for one process that may forget on a restart. Leases run on the monotonic clock, `notBeforeEpochMs` on
 * the wall clock.
 */
export function memoryOutbox(clock: Clock = systemClock, retentionMs: number = RETENTION_MS.webhooks): MemoryOutbox {
  const rows = rowsOf();
  const add = adderOf(rows, clock);
  let epochMax = 0;
  const outbox: OutboxStore<MemoryTransaction> = {
    name: "memory",
    add: async (transaction, given) => add(transaction, given),
    async claimBatch(order) {
      assert(Number.isInteger(order.limit) && order.limit > 0, `limit is a positive integer: ${order.limit}`);
      if (order.epoch < epochMax) return { kind: "stale-epoch", epoch: epochMax };
      epochMax = order.epoch;
      const dueAtMs = clock.monoMs() + order.leaseMs;
      const claimed = claimable(rows, order, clock).map((row): Kept => {
        const [token, tries, doubtful] = [row.token + 1, row.tries + 1, row.doubtful || row.state === "claimed"];
        return { ...row, state: "claimed", lockedBy: order.owner, token, tries, doubtful, dueAtMs };
      });
      for (const row of claimed) rows.put(row);
      return { kind: "claimed", rows: claimed.map(claimedOf) };
    },
    ...marksOf(rows, clock),
    ...deskOf(rows, clock, retentionMs),
  };
  return { outbox, inbox: memoryInbox(clock, retentionMs), transact: memoryTransactions() };
}
