import { describe, expect, it } from "vitest";
import { DriverError } from "../../ports/driver-error.ts";
import type { ClaimedRow, OutboxRow, OutboxStore } from "../../ports/outbox-store.ts";
import type { Random } from "../../ports/random.ts";
import { type ManualClock, manualClock } from "../../testing/manual-clock.ts";
import { memoryOutbox } from "./memory-outbox.ts";
import type { MemoryTransaction } from "./memory-transaction.ts";
import { runRelay } from "./relay.ts";
import type { RelayEnd, RelayEvent, RelayOptions, Send } from "./relay-run.ts";

/** Always the middle: every jittered wait is half of its upper end. */
const half: Random = { float: () => 0.5, bytes: (count) => new Uint8Array(count) };

type Options = Partial<RelayOptions<MemoryTransaction>>;

/** An outbox with some rows and a way to run relays on it for some virtual time. */
async function worldOf(rows: readonly Partial<OutboxRow>[]) {
  const clock = manualClock();
  const { outbox, transact } = memoryOutbox(clock);
  const full = rows.map((row, index) => ({ effectKey: `k-${index}`, topic: "t", payload: "p", ...row }));
  await transact((transaction) => outbox.add(transaction, full));
  const events: RelayEvent[] = [];
  function start(send: Send, options: Options = {}, store: OutboxStore<MemoryTransaction> = outbox) {
    const stop = new AbortController();
    const audit = (event: RelayEvent) => void events.push(event);
    const defaults = { store, send, sinkHonoursKey: true, clock, random: half, audit, leaseMs: 10_000 };
    const ended: Promise<RelayEnd> = runRelay({ ...defaults, ...options }, stop.signal);
    return { stop: () => stop.abort(), ended };
  }
  const kinds = () => events.map(({ kind }) => kind);
  return { clock, outbox, events, kinds, start };
}

/** A sender that takes `ms` and writes down when it was asked for what. */
function slowSend(clock: ManualClock, ms: number) {
  const log: { readonly key: string; readonly atMs: number }[] = [];
  const state = { active: 0, most: 0 };
  const send: Send = async (row) => {
    log.push({ key: row.effectKey, atMs: clock.monoMs() });
    state.most = Math.max(state.most, ++state.active);
    await clock.sleep(ms);
    state.active--;
    return { kind: "sent" };
  };
  return { send, log, state };
}

describe("a relay", () => {
  it("hands effect key, topic, payload, headers and epoch to the sender, marks what was sent, and stops when told", async () => {
    const { clock, outbox, start, kinds } = await worldOf([{ headers: { a: "b" }, orderKey: "o" }]);
    const seen: [ClaimedRow, number][] = [];
    const send: Send = async (row, { epoch }) => {
      seen.push([row, epoch]);
      return { kind: "sent" };
    };
    const relay = start(send, { grant: { token: 4, isHeld: () => true } });
    await clock.advance(1_000);
    relay.stop();
    expect(await relay.ended).toBe("aborted");
    const row = { effectKey: "k-0", topic: "t", payload: "p", headers: { a: "b" }, orderKey: "o", tries: 1 };
    expect(seen).toEqual([[expect.objectContaining(row), 4]]);
    expect(await outbox.counts()).toMatchObject({ sent: 1, waiting: 0, claimed: 0 });
    expect(kinds()).toEqual(["sent"]);
  });

  it("sends 20 rows with at most 3 at once, and claims no more than it sends", async () => {
    const { clock, outbox, start } = await worldOf(Array.from({ length: 20 }, () => ({})));
    const { send, log, state } = slowSend(clock, 100);
    const relay = start(send, { concurrency: 3 });
    await clock.advance(50);
    expect(await outbox.counts()).toMatchObject({ claimed: 3, waiting: 17 });
    await clock.advance(1_000);
    relay.stop();
    await relay.ended;
    expect(state.most).toBe(3);
    expect(log.map(({ key }) => key)).toEqual(Array.from({ length: 20 }, (_, index) => `k-${index}`));
    expect(await outbox.counts()).toMatchObject({ sent: 20 });
  });

  it("goes on with an order key when its row was sent, without waiting for the next poll", async () => {
    const { clock, start } = await worldOf([{ orderKey: "o" }, { orderKey: "o" }, { orderKey: "o" }]);
    const { send, log } = slowSend(clock, 10);
    const relay = start(send, { pollMs: 5_000 });
    await clock.advance(100);
    relay.stop();
    await relay.ended;
    expect(log.map(({ atMs }) => atMs)).toEqual([0, 10, 20]);
  });

  it("waits with full jitter, doubling to the cap, and makes a dead letter of the row after 5 tries", async () => {
    const { clock, outbox, start, kinds } = await worldOf([{}]);
    const triedAtMs: number[] = [];
    const send: Send = async () => {
      triedAtMs.push(clock.monoMs());
      return { kind: "failed", reason: "503" };
    };
    const relay = start(send, { triesMax: 5, backoff: { baseMs: 1_000, capMs: 3_000 }, pollMs: 1 });
    await clock.advance(10_000);
    relay.stop();
    await relay.ended;
    const waits = triedAtMs.slice(1).map((atMs, index) => atMs - (triedAtMs[index] as number));
    expect(waits).toEqual([500, 1_000, 1_500, 1_500]); // Half of 1 000, 2 000, 3 000 and 3 000.
    expect(await outbox.deadLetters(9)).toMatchObject([{ because: "tries", error: "503", tries: 5 }]);
    expect(kinds()).toEqual(["failed", "failed", "failed", "failed", "dead"]);
  });

  it("waits as long as the receiver asks for instead", async () => {
    const { clock, start } = await worldOf([{}]);
    const triedAtMs: number[] = [];
    const send: Send = async () => {
      triedAtMs.push(clock.monoMs());
      return { kind: "failed", reason: "429", retryInMs: 7_000 };
    };
    const relay = start(send, { pollMs: 10 });
    await clock.advance(7_500);
    relay.stop();
    await relay.ended;
    expect(triedAtMs).toEqual([0, 7_000]);
  });

  it("makes a dead letter of what the receiver will never take", async () => {
    const { clock, outbox, start } = await worldOf([{}]);
    const relay = start(async () => ({ kind: "dead", reason: "410" }));
    await clock.advance(10);
    relay.stop();
    await relay.ended;
    expect(await outbox.deadLetters(9)).toMatchObject([{ because: "refused", error: "410", tries: 1 }]);
  });

  const ambiguous: Readonly<Record<string, Send>> = {
    "says unknown": async () => ({ kind: "unknown", reason: "connection reset" }),
    throws: () => Promise.reject(new Error("connection reset")),
    "throws before its first wait": () => {
      throw new Error("connection reset");
    },
    "never answers": () => new Promise(() => {}),
  };
  for (const [what, send] of Object.entries(ambiguous)) {
    it(`I6: sends an event again after a sender that ${what} only where receivers dedupe by the effect key`, async () => {
      const { clock, outbox, start } = await worldOf([{}]);
      const blind = start(send, { sinkHonoursKey: false });
      await clock.advance(60_000);
      blind.stop();
      await blind.ended;
      const reason = what === "never answers" ? "no answer within 5000 ms" : "connection reset";
      const letters = [{ because: "unknown", error: expect.stringContaining(reason), tries: 1 }];
      expect(await outbox.deadLetters(9)).toMatchObject(letters);
      await outbox.replay("k-0");
      const keyed = start(send, { sinkHonoursKey: true, triesMax: 2, backoff: { baseMs: 1, capMs: 1 } });
      await clock.advance(60_000);
      keyed.stop();
      await keyed.ended;
      expect(await outbox.deadLetters(9)).toMatchObject([{ ...letters[0], tries: 2 }]);
    });
  }

  it("aborts the sender's signal when its time is over", async () => {
    const { clock, start } = await worldOf([{}]);
    const abortedAtMs: number[] = [];
    const relay = start(
      (_, { signal }) =>
        new Promise(() => signal.addEventListener("abort", () => abortedAtMs.push(clock.monoMs()), { once: true })),
      { sendTimeoutMs: 2_000 },
    );
    await clock.advance(3_000);
    relay.stop();
    await clock.advance(60_000);
    await relay.ended;
    expect(abortedAtMs[0]).toBe(2_000);
  });

  it("I6: never sends a row again whose earlier claim ended without a word, where receivers do not dedupe", async () => {
    const { clock, outbox, start } = await worldOf([{}]);
    await outbox.claimBatch({ owner: "dead", epoch: 0, leaseMs: 1_000, limit: 1, afterDead: "skip" });
    const { send, log } = slowSend(clock, 1);
    const relay = start(send, { sinkHonoursKey: false });
    await clock.advance(5_000);
    relay.stop();
    await relay.ended;
    expect(log).toEqual([]);
    expect(await outbox.deadLetters(9)).toMatchObject([{ because: "unknown" }]);
  });

  it("stops trying a row on which relay after relay died: a dead letter without another send", async () => {
    const { clock, outbox, start } = await worldOf([{}]);
    for (let died = 0; died < 3; died++) {
      await outbox.claimBatch({ owner: `dead-${died}`, epoch: 0, leaseMs: 1_000, limit: 1, afterDead: "skip" });
      await clock.advance(1_000);
    }
    const { send, log } = slowSend(clock, 1);
    const relay = start(send, { triesMax: 3 });
    await clock.advance(1_000);
    relay.stop();
    await relay.ended;
    expect(log).toEqual([]);
    expect(await outbox.deadLetters(9)).toMatchObject([{ because: "unknown", error: "3 tries ended without a word" }]);
  });
});

describe("a relay that must stop", () => {
  it("lets the sends under way end, marks them and leaves nothing claimed", async () => {
    const { clock, outbox, start } = await worldOf(Array.from({ length: 10 }, () => ({})));
    const { send, log } = slowSend(clock, 1_000);
    const relay = start(send, { concurrency: 4 });
    await clock.advance(500);
    relay.stop();
    await clock.advance(600);
    expect(await relay.ended).toBe("aborted");
    expect(log.length).toBe(4);
    expect(await outbox.counts()).toMatchObject({ sent: 4, claimed: 0, waiting: 6 });
  });

  it("I14: sends nothing once its grant is lost, and gives back what it had claimed, the try not counted", async () => {
    const { clock, outbox, start, kinds } = await worldOf([{}]);
    let isHeld = true;
    const { send, log } = slowSend(clock, 1);
    const losing: OutboxStore<MemoryTransaction> = {
      ...outbox,
      async claimBatch(order) {
        const batch = await outbox.claimBatch(order);
        isHeld = false;
        return batch;
      },
    };
    expect(await start(send, { grant: { token: 1, isHeld: () => isHeld } }, losing).ended).toBe("grant-lost");
    expect([log, kinds()]).toEqual([[], ["released"]]);
    const batch = await outbox.claimBatch({ owner: "b", epoch: 2, leaseMs: 1, limit: 1, afterDead: "skip" });
    expect(batch).toMatchObject({ rows: [{ tries: 1, doubtful: false }] });
    expect(clock.monoMs()).toBe(0);
  });

  it("I8, I14: ends when a newer epoch has claimed", async () => {
    const { outbox, start, events } = await worldOf([{}]);
    await outbox.claimBatch({ owner: "green", epoch: 9, leaseMs: 1, limit: 1, afterDead: "skip" });
    const relay = start(async () => ({ kind: "sent" }), { grant: { token: 8, isHeld: () => true } });
    expect(await relay.ended).toBe("stale-epoch");
    expect(events).toEqual([{ kind: "stale-epoch", epoch: 9 }]);
  });

  it("begins no send when the answer to its claim came so late that the send could outlive the claim", async () => {
    const { clock, outbox, start, kinds } = await worldOf([{}]);
    let delayMs = 2_500;
    const slow: OutboxStore<MemoryTransaction> = {
      ...outbox,
      async claimBatch(order) {
        const batch = await outbox.claimBatch(order);
        await clock.sleep(delayMs);
        delayMs = 0;
        return batch;
      },
    };
    const { send, log } = slowSend(clock, 1);
    const relay = start(send, { leaseMs: 10_000, sendTimeoutMs: 5_000 }, slow); // 7 000 - 2 500 < 5 000.
    await clock.advance(2_499);
    expect(kinds()).toEqual([]);
    await clock.advance(100);
    relay.stop();
    await relay.ended;
    expect(kinds()).toEqual(["released", "sent"]);
    expect(log.map(({ atMs }) => atMs)).toEqual([2_500]);
  });

  it("I22: discards what it found out when somebody else has claimed the row since, and says so", async () => {
    const { clock, outbox, start, events } = await worldOf([{}]);
    const relay = start(
      async () => {
        await clock.sleep(4_000);
        await clock.sleep(100_000); // A stopped process: its timers stand still as well.
        return { kind: "sent" };
      },
      { clock: { ...clock, sleep: (ms, signal) => clock.sleep(ms * 30, signal) } },
    );
    await clock.advance(11_000);
    const other = { owner: "b", epoch: 0, leaseMs: 500_000, limit: 1, afterDead: "skip" } as const;
    expect(await outbox.claimBatch(other)).toMatchObject({ rows: [{ doubtful: true }] });
    relay.stop();
    await clock.advance(200_000);
    await relay.ended;
    expect(events).toMatchObject([{ kind: "stale", row: { effectKey: "k-0" } }]);
    expect(await outbox.counts()).toMatchObject({ claimed: 1, sent: 0 });
  });
});

describe("a relay and its store", () => {
  it("asks a store that fails again, after a poll, and tells the log", async () => {
    const { clock, outbox, start, events } = await worldOf([{}]);
    let failures = 4; // Three tries of the first claim and one of the second.
    const flaky: OutboxStore<MemoryTransaction> = {
      ...outbox,
      claimBatch(order) {
        if (failures-- > 0) return Promise.reject(new DriverError("unreachable", "safe", "no connection"));
        return outbox.claimBatch(order);
      },
    };
    const relay = start(async () => ({ kind: "sent" }), { pollMs: 500 }, flaky);
    await clock.advance(499);
    expect(events).toMatchObject([{ kind: "store-failed", error: { message: "no connection" } }]);
    await clock.advance(1);
    relay.stop();
    await relay.ended;
    expect(await outbox.counts()).toMatchObject({ sent: 1 });
  });

  it("gives back rows whose claim was answered after it had given the claim up", async () => {
    const { clock, outbox, start } = await worldOf([{}, {}]);
    let calls = 0;
    const stuck: OutboxStore<MemoryTransaction> = {
      ...outbox,
      async claimBatch(order) {
        const batch = await outbox.claimBatch(order);
        if (++calls === 1) await clock.sleep(3_000);
        return batch;
      },
    };
    const { send, log } = slowSend(clock, 1);
    const relay = start(send, { storeTimeoutMs: 1_000, concurrency: 1, pollMs: 100 }, stuck);
    await clock.advance(2_999);
    expect(log.map(({ key }) => key)).toEqual(["k-1"]);
    await clock.advance(200);
    relay.stop();
    await relay.ended;
    expect(log.map(({ key }) => key)).toEqual(["k-1", "k-0"]);
    expect(await outbox.counts()).toMatchObject({ sent: 2 });
  });

  it.each([
    [{ sendTimeoutMs: 5_001 }, "at most half of leaseMs"],
    [{ sendTimeoutMs: 0 }, "sendTimeoutMs is above 0"],
    [{ triesMax: 0 }, "triesMax is a positive integer"],
    [{ concurrency: 1.5 }, "concurrency is a positive integer"],
  ])("refuses options that cannot work: %j", async (options, problem) => {
    const { start } = await worldOf([]);
    await expect(start(async () => ({ kind: "sent" }), options).ended).rejects.toThrow(problem);
  });
});
