import { describe, expect, it } from "vitest";
import { type Clock, clockBySleep } from "../../ports/clock.ts";
import type { InboxStore, OutboxClaim, OutboxStore } from "../../ports/outbox-store.ts";
import { runOutboxCrashMatrix } from "../../testing/outbox-crash.ts";
import { OUTBOX_CRASH_POINTS } from "../../testing/outbox-crash-process.ts";
import type { OutboxCrashPlan, OutboxCrashWorld } from "../../testing/outbox-crash-world.ts";
import { memoryOutbox } from "./memory-outbox.ts";
import type { MemoryTransaction } from "./memory-transaction.ts";

type Store = OutboxStore<MemoryTransaction>;
type Inbox = InboxStore<MemoryTransaction>;

/** Virtual time: when nothing else can run, the next sleeper wakes. */
function virtualClock(): Clock {
  let [nowMs, isScheduled] = [0, false];
  const sleepers = new Set<{ readonly atMs: number; wake(): void }>();
  function schedule(): void {
    if (isScheduled || sleepers.size === 0) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      let [first] = sleepers;
      for (const sleeper of sleepers) if (first !== undefined && sleeper.atMs < first.atMs) first = sleeper;
      if (first !== undefined) nowMs = Math.max(nowMs, first.atMs);
      first?.wake();
      schedule();
    });
  }
  return clockBySleep({
    wallMs: () => nowMs as ReturnType<Clock["wallMs"]>,
    monoMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const sleeper = {
          atMs: nowMs + ms,
          wake() {
            sleepers.delete(sleeper);
            signal?.removeEventListener("abort", sleeper.wake);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", sleeper.wake, { once: true });
        schedule();
      }),
  });
}

interface Changes {
  readonly store?: (store: Store) => Store;
  readonly inbox?: (inbox: Inbox) => Inbox;
}

/** Producer, outbox and receiver in memory; `changes` break one of them. */
function worldOf(changes: Changes = {}): OutboxCrashWorld<MemoryTransaction> {
  const { store: changeStore = (store: Store) => store, inbox: changeInbox = (inbox: Inbox) => inbox } = changes;
  const clock = virtualClock();
  const { outbox, inbox, transact } = memoryOutbox(clock);
  const tables = { ordered: [] as string[], applied: [] as string[] };
  const store = changeStore(outbox);
  return {
    open: () => store,
    inbox: changeInbox(inbox),
    transact,
    clock,
    write: async (transaction, table, key) => transaction.onCommit(() => tables[table].push(key)),
    read: async (table) => [...tables[table]],
  };
}

/** `SLUICE_OUTBOX_EVENTS` makes it a longer run. */
const events = Number(process.env["SLUICE_OUTBOX_EVENTS"] ?? 3_000);
const plan: OutboxCrashPlan = {
  seed: 7,
  events,
  copies: 5,
  crashShare: 0.01,
  relays: 2,
  concurrency: 16,
  leaseMs: 1_000,
  orderKeys: 200,
  prefix: "m",
};
const nothingWrong = { torn: 0, unsettled: 0, duplicates: 0, lost: 0, phantoms: 0, orderBreaks: 0 };

describe("the outbox's crash matrix in memory", () => {
  it(`I6, I7, I14, CO-8: ${events} events sent 5 times each across a flip, dying at all 10 points: nothing lost or doubled`, {
    timeout: 20_000 + events * 10,
  }, async () => {
    const report = await runOutboxCrashMatrix(worldOf(), plan);
    console.info("outbox crash matrix, memory:", JSON.stringify(report));
    expect(report).toMatchObject({ ...nothingWrong, ordered: events, clobbers: 0, claimsAfterFlip: 0 });
    expect(report.sent + report.dead).toBe(events);
    expect(report.dead).toBeGreaterThan(events / 40);
    expect(report.deliveries).toBeGreaterThan(events * 4.5);
    expect(report.afterReplay).toMatchObject({
      ...nothingWrong,
      orderBreaks: expect.any(Number),
      sent: events,
      dead: 0,
    });
    for (const point of OUTBOX_CRASH_POINTS) expect(report.crashes[point], point).toBeGreaterThan(10);
    expect(report.staleMarks).toBeGreaterThan(10); // Paused relays came back and were refused.
    expect(report.staleEpochs).toBe(plan.relays); // Every blue relay was sent home.
  });

  const small: OutboxCrashPlan = { ...plan, events: 400, crashShare: 0.02, orderKeys: 20 };
  const run = (changes: Changes) => runOutboxCrashMatrix(worldOf(changes), small);

  it("(checker) sees clobbers when the owner is not checked", async () => {
    const owners = new Map<string, OutboxClaim>();
    const trusting = (store: Store): Store => ({
      ...store,
      async claimBatch(order) {
        const batch = await store.claimBatch(order);
        const rows = batch.kind === "claimed" ? batch.rows : [];
        for (const { id, token } of rows) owners.set(id, { owner: order.owner, id, token });
        return batch;
      },
      markSent: (claims) => store.markSent(claims.map((claim) => owners.get(claim.id) ?? claim)),
    });
    expect((await run({ store: trusting })).clobbers).toBeGreaterThan(0);
  });

  it("(checker) sees duplicates when the receiver does not dedupe", async () => {
    const forgetful = (inbox: Inbox): Inbox => ({ ...inbox, claim: async () => "fresh" });
    expect((await run({ inbox: forgetful })).duplicates).toBeGreaterThan(small.events);
  });

  it("(checker) sees torn writes when rows are added beside the transaction", async () => {
    const beside = (store: Store): Store => ({
      ...store,
      add: (_, rows) => store.add({ onCommit: (write) => write() }, rows),
    });
    expect((await run({ store: beside })).torn).toBeGreaterThan(0);
  });

  it("(checker) sees a loss when rows are marked before they are sent", async () => {
    const hasty = (store: Store): Store => ({
      ...store,
      async claimBatch(order) {
        const batch = await store.claimBatch(order);
        const rows = batch.kind === "claimed" ? batch.rows : [];
        await store.markSent(rows.map(({ id, token }) => ({ owner: order.owner, id, token })));
        return batch;
      },
    });
    expect((await run({ store: hasty })).lost).toBeGreaterThan(0);
  });

  it("(checker) sees broken order when rows carry no order key", async () => {
    const unordered = (store: Store): Store => ({
      ...store,
      add: (transaction, rows) =>
        store.add(
          transaction,
          rows.map((row) => ({ ...row, orderKey: null })),
        ),
    });
    expect((await run({ store: unordered })).orderBreaks).toBeGreaterThan(0);
  });

  it("(checker) sees the old colour claim after the flip when epochs are not checked", async () => {
    const epochless = (store: Store): Store => ({
      ...store,
      claimBatch: (order) => store.claimBatch({ ...order, epoch: 0 }),
    });
    const report = await run({ store: epochless });
    expect([report.claimsAfterFlip > 0, report.staleEpochs]).toEqual([true, 0]);
  });
});
