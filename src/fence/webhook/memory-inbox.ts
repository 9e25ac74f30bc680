import type { Clock } from "../../ports/clock.ts";
import type { InboxEntry, InboxOrder, WebhookInbox } from "../../ports/webhook-inbox.ts";
import { systemClock } from "../system.ts";

interface Kept {
  entry: InboxEntry;
  /** Order of acceptance. */
  readonly seq: number;
  readonly stream: string;
  /** When it may be handed out (again). */
  availableAtMs: number;
  expiresAtMs: number;
}

/** What handles opened on one inbox share. */
export interface MemoryWebhookInboxState {
  readonly kept: Map<string, Kept>;
  /** Newest accepted revision of each stream, and how long it is remembered. */
  readonly newest: Map<string, { readonly revision: number; readonly expiresAtMs: number }>;
  seq: number;
}

/** An inbox state with nothing in it. */
export function emptyWebhookInbox(): MemoryWebhookInboxState {
  return { kept: new Map(), newest: new Map(), seq: 0 };
}

/** Revisions of one event for one action: what must stay in order. */
const streamOf = ({ tenant, provider, endpoint, eventId, action }: InboxOrder) =>
  JSON.stringify([tenant, provider, endpoint, eventId, action]);

const isOver = ({ entry, expiresAtMs }: Kept, nowMs: number) =>
  (entry.state === "done" || entry.state === "superseded") && expiresAtMs <= nowMs;

function entryOf(order: InboxOrder, state: InboxEntry["state"]): InboxEntry {
  const { retainMs: _, ...kept } = order;
  return { ...kept, body: order.body.slice(), state, deliveries: 1, conflicts: 0, takes: 0, reason: null };
}

/** Records one more delivery of a kept webhook, whose window starts anew, or a conflict, which changes nothing else. */
function meet(kept: Kept, order: InboxOrder, nowMs: number): "duplicate" | "conflict" {
  const isSame = kept.entry.digest === order.digest;
  const { deliveries, conflicts } = kept.entry;
  kept.entry = isSame ? { ...kept.entry, deliveries: deliveries + 1 } : { ...kept.entry, conflicts: conflicts + 1 };
  if (isSame) kept.expiresAtMs = Math.max(kept.expiresAtMs, nowMs + order.retainMs);
  return isSame ? "duplicate" : "conflict";
}

/** Raises the newest revision of a stream. True when `order` is older than it. */
function isOutdated(state: MemoryWebhookInboxState, stream: string, order: InboxOrder, nowMs: number): boolean {
  if (order.revision === null) return false;
  const found = state.newest.get(stream);
  const newest = found === undefined || found.expiresAtMs <= nowMs ? order.revision : found.revision;
  const expiresAtMs = Math.max(found?.expiresAtMs ?? 0, nowMs + order.retainMs);
  state.newest.set(stream, { revision: Math.max(newest, order.revision), expiresAtMs });
  return order.revision < newest;
}

/**
 * The entries that may be handed out, oldest first: queued, due, and with nothing queued before them in their stream.
 */
function due(state: MemoryWebhookInboxState, nowMs: number): readonly Kept[] {
  const blocked = new Set<string>();
  const queued = [...state.kept.values()].filter(({ entry }) => entry.state === "queued").sort((a, b) => a.seq - b.seq);
  return queued.filter(({ stream, availableAtMs }) => {
    const isFirst = !blocked.has(stream);
    blocked.add(stream);
    return isFirst && availableAtMs <= nowMs;
  });
}

/**
 * An inbox in this process's memory: for tests, and for one process that may forget on a restart. Never acknowledge a
 * partner's webhook on it in production. Handles opened on the same `state` share one inbox.
 */
export function memoryWebhookInbox(
  clock: Clock = systemClock,
  state: MemoryWebhookInboxState = emptyWebhookInbox(),
): WebhookInbox {
  return {
    name: "memory",
    check: async () => ({ kind: "relaxed", found: "process memory" }),
    async accept(order) {
      const [nowMs, stream] = [clock.monoMs(), streamOf(order)];
      const found = state.kept.get(order.dedupeKey);
      if (found !== undefined && !isOver(found, nowMs)) {
        const answer = meet(found, order, nowMs);
        if (answer === "duplicate") isOutdated(state, stream, order, nowMs); // Remembered as long as its revisions are.
        return { kind: answer };
      }
      const entry = entryOf(order, isOutdated(state, stream, order, nowMs) ? "superseded" : "queued");
      const times = { availableAtMs: nowMs, expiresAtMs: nowMs + order.retainMs };
      state.kept.set(order.dedupeKey, { entry, seq: ++state.seq, stream, ...times });
      return { kind: entry.state === "queued" ? "accepted" : "superseded" };
    },
    async take(limit, leaseMs) {
      const nowMs = clock.monoMs();
      return due(state, nowMs)
        .slice(0, limit)
        .map((kept) => {
          kept.availableAtMs = nowMs + leaseMs;
          kept.entry = { ...kept.entry, takes: kept.entry.takes + 1 };
          return kept.entry;
        });
    },
    async settle({ dedupeKey, takes }, result) {
      const [kept, nowMs] = [state.kept.get(dedupeKey), clock.monoMs()];
      if (kept === undefined || kept.entry.takes !== takes) return false;
      const current = kept.entry.state;
      if (current !== "queued") return current === result.kind; // Sent again: its first answer was lost.
      if (result.kind === "done") kept.entry = { ...kept.entry, state: "done", body: new Uint8Array(0) };
      else {
        if (result.kind === "again") kept.availableAtMs = nowMs + result.delayMs;
        kept.entry = { ...kept.entry, state: result.kind === "again" ? "queued" : "dead", reason: result.reason };
      }
      return true;
    },
    read: async (dedupeKey) => state.kept.get(dedupeKey)?.entry ?? null,
    async listDead(limit) {
      const dead = [...state.kept.values()].filter(({ entry }) => entry.state === "dead");
      return dead
        .sort((a, b) => a.seq - b.seq)
        .slice(0, limit)
        .map(({ entry }) => entry);
    },
    async revive(dedupeKey) {
      const kept = state.kept.get(dedupeKey);
      if (kept?.entry.state !== "dead") return false;
      kept.entry = { ...kept.entry, state: "queued" };
      kept.availableAtMs = clock.monoMs();
      return true;
    },
    async sweep(limit) {
      const nowMs = clock.monoMs();
      const over = [...state.kept].filter(([, kept]) => isOver(kept, nowMs)).slice(0, limit);
      for (const [key] of over) state.kept.delete(key);
      for (const [stream, { expiresAtMs }] of state.newest) if (expiresAtMs <= nowMs) state.newest.delete(stream);
      return over.length;
    },
  };
}
