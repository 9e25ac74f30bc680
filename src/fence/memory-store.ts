import {
  completed,
  decideClaim,
  decideComplete,
  type FenceOwner,
  type FenceRecord,
  granted,
  isHolder,
  isSweepable,
  nextToken,
  released,
  renewed,
  settlerId,
} from "../core/fence/record.ts";
import type { Clock } from "../ports/clock.ts";
import type { FenceStore } from "../ports/fence-store.ts";
import { systemClock } from "./system.ts";

/** Result size the memory store keeps; the same as the servers', so that tests see the same refusals. */
const RESULT_BYTES_MAX = 1_048_576;

/**
 * A fence in this process's memory: for tests and for one process that may forget on a restart. Its clock is the
 * monotonic one. Handles opened on the same `records` share one fence.
 */
export function memoryFence(clock: Clock = systemClock, records = new Map<string, FenceRecord>()): FenceStore {
  const idOf = (scope: string, key: string) => `${scope}\n${key}`;
  const of = (owner: { readonly scope: string; readonly key: string }) =>
    records.get(idOf(owner.scope, owner.key)) ?? null;
  const put = (record: FenceRecord) => records.set(idOf(record.scope, record.key), record);
  const counter = counterOf(records);
  return {
    name: "memory",
    resultBytesMax: RESULT_BYTES_MAX,
    check: async () => ({ kind: "relaxed", found: "process memory" }),
    async claim(request) {
      const [record, nowMs] = [of(request), clock.monoMs()];
      const decision = decideClaim(record, request, nowMs);
      if (decision.kind === "answer") return decision.claim;
      if (decision.kind === "mark-unknown") {
        put({ ...(record as FenceRecord), state: "unknown" });
        return { kind: "unknown", token: (record as FenceRecord).token, note: (record as FenceRecord).note };
      }
      const token = nextToken(record, request, counter);
      put(granted(request, token, nowMs));
      return { kind: "held", token, resumed: decision.resumed };
    },
    async renew(owner, leaseMs, note) {
      const record = of(owner);
      if (!isHolder(record, owner)) return false;
      put(renewed(record, leaseMs, note, clock.monoMs()));
      return true;
    },
    async complete(owner, result, retentionMs) {
      const record = of(owner);
      const decision = decideComplete(record, owner);
      if (decision !== "write") return decision;
      put(completed(record as FenceRecord, result, retentionMs, clock.monoMs()));
      return "stored";
    },
    async release(owner: FenceOwner) {
      const record = of(owner);
      if (!isHolder(record, owner)) return false;
      const next = released(record);
      if (next === null) records.delete(idOf(owner.scope, owner.key));
      else put(next);
      return true;
    },
    read: async (scope, key) => of({ scope, key }),
    async settle(scope, key, token, settlement) {
      const record = of({ scope, key });
      if (record === null || record.state !== "unknown" || record.token !== token) return false;
      if (settlement.kind === "run-again") records.delete(idOf(scope, key));
      else {
        const settled = { ...record, attemptId: settlerId(settlement.by) };
        put(completed(settled, settlement.result, settlement.retentionMs, clock.monoMs()));
      }
      return true;
    },
    async sweep(limit) {
      const nowMs = clock.monoMs();
      const due = [...records].filter(([, record]) => isSweepable(record, nowMs)).slice(0, limit);
      for (const [id] of due) records.delete(id);
      return due.length;
    },
  };
}

const counters = new WeakMap<Map<string, FenceRecord>, () => number>();

/** One token counter for each set of records, shared by all its handles and never lowered. */
function counterOf(records: Map<string, FenceRecord>): () => number {
  let last = 0;
  const counter = counters.get(records) ?? (() => ++last);
  counters.set(records, counter);
  return counter;
}
