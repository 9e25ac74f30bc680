import type { Clock } from "../../ports/clock.ts";
import type { InboxStore } from "../../ports/outbox-store.ts";
import type { MemoryTransaction } from "./memory-transaction.ts";

interface Seen {
  readonly digest: string;
  readonly atMs: number;
}

/** An inbox in this process's memory. Correct because memory transactions run one after the other. */
export function memoryInbox(clock: Clock, retentionMs: number): InboxStore<MemoryTransaction> {
  const [keys, revisions] = [new Map<string, Seen>(), new Map<string, number>()];
  const staged = new WeakMap<MemoryTransaction, { keys: Map<string, Seen>; revisions: Map<string, number> }>();
  return {
    name: "memory",
    async claim(transaction, message) {
      const own = staged.get(transaction) ?? { keys: new Map<string, Seen>(), revisions: new Map<string, number>() };
      staged.set(transaction, own);
      const { consumer, subject, digest = "" } = message;
      const id = JSON.stringify([consumer, message.key]);
      const before = own.keys.get(id) ?? keys.get(id);
      const seen = { digest: before?.digest ?? digest, atMs: clock.monoMs() };
      own.keys.set(id, seen);
      transaction.onCommit(() => keys.set(id, seen)); // A duplicate makes the key live longer.
      if (before !== undefined) return before.digest === digest ? "seen" : "mismatch";
      if (subject === undefined) return "fresh";
      const place = JSON.stringify([consumer, subject.id]);
      const newest = own.revisions.get(place) ?? revisions.get(place);
      if (newest !== undefined && newest >= subject.revision) return "superseded";
      own.revisions.set(place, subject.revision);
      transaction.onCommit(() => revisions.set(place, subject.revision));
      return "fresh";
    },
    async sweep(limit) {
      const old = [...keys].filter(([, { atMs }]) => atMs + retentionMs <= clock.monoMs()).slice(0, limit);
      for (const [id] of old) keys.delete(id);
      return old.length;
    },
  };
}
