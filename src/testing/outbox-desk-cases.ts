import { assert } from "../core/assert.ts";
import { consumeOnce, consumeThenCommit } from "../fence/outbox/consume-once.ts";
import type { InboxMessage } from "../ports/outbox-store.ts";
import { addRows, claimAs, claimOf, equal, type OutboxCase, type OutboxWorld, rowOf } from "./outbox-world.ts";

/** What operators see and do, and what is thrown away. */
export const deskCases: readonly OutboxCase[] = [
  {
    name: "lists dead letters with cause, error and time, and replays one under the same effect key with new tries",
    async run(world) {
      const [store, beforeMs] = [world.open(), world.wallMs()];
      await addRows(world, rowOf("k-1", { headers: { a: "b" } }), rowOf("k-2"), rowOf("k-3"));
      const rows = await claimAs(store, "a");
      for (const [index, because] of (["unknown", "refused", "tries"] as const).entries()) {
        await store.markDead(claimOf("a", rows[index]), because, `error ${index}`);
      }
      const letters = await store.deadLetters(2);
      equal(
        letters.map(({ effectKey, because, error, tries }) => [effectKey, because, error, tries]),
        [
          ["k-1", "unknown", "error 0", 1],
          ["k-2", "refused", "error 1", 1],
        ],
        "two of three letters",
      );
      equal([letters[0]?.headers, letters[0]?.payload, letters[0]?.topic], [{ a: "b" }, "k-1", "order"], "the event");
      const diedAtMs = letters[0]?.diedAtEpochMs ?? 0;
      assert(Math.abs(diedAtMs - beforeMs) < 60_000, `died about now: ${diedAtMs}, the case began at ${beforeMs}`);
      equal(
        [await store.replay("k-1"), await store.replay("k-1"), await store.replay("never")],
        [true, false, false],
        "replay",
      );
      const [again] = await claimAs(store, "b");
      equal([again?.effectKey, again?.tries, again?.doubtful], ["k-1", 1, false], "the replayed row");
      assert((again?.token ?? 0) > (rows[0]?.token ?? 0), "the token grows over a replay");
      equal(await store.markSent([claimOf("a", rows[0])]), [], "the claim before the replay");
    },
  },
  {
    name: "settles a dead letter as sent, once, and only a dead letter",
    async run(world) {
      const store = world.open();
      await addRows(world, rowOf("dead"), rowOf("waiting"));
      const [row] = await claimAs(store, "a", { limit: 1 });
      await store.markDead(claimOf("a", row), "unknown", "no answer");
      const answers = [
        await store.settle("dead", "ada"),
        await store.settle("dead", "bob"),
        await store.settle("waiting", "ada"),
      ];
      equal(answers, [true, false, false], "settled");
      equal(await store.deadLetters(10), [], "letters left");
      equal(await store.markDead(claimOf("a", row), "unknown", "again"), false, "its late owner");
      equal(await store.markSent([claimOf("a", row)]), [], "its late owner, later");
    },
  },
  {
    name: "counts rows by state and says how old the oldest unsent one is",
    async run(world) {
      const store = world.open();
      equal(await store.counts(), { waiting: 0, claimed: 0, sent: 0, dead: 0, oldestUnsentMs: null }, "empty");
      await addRows(world, ...["a", "b", "c", "d", "e"].map((key) => rowOf(key)));
      const [first, second, third] = await claimAs(store, "r", { limit: 3 });
      await store.markSent([claimOf("r", first)]);
      await store.markDead(claimOf("r", second), "refused", "no");
      await world.advance(50);
      const { oldestUnsentMs, ...counts } = await store.counts();
      equal(counts, { waiting: 2, claimed: 1, sent: 1, dead: 1 }, "counts");
      assert(oldestUnsentMs !== null && oldestUnsentMs >= 45, `at least 50 ms old: ${oldestUnsentMs}`);
      await store.release([claimOf("r", third)]);
      equal((await store.counts()).waiting, 3, "waiting after a release");
    },
  },
  {
    name: "sweeps only sent rows past their retention, at most the limit; their keys are new again",
    async run(world) {
      const store = world.open();
      await addRows(world, ...["s-1", "s-2", "s-3", "dead", "waiting"].map((key) => rowOf(key)));
      const rows = await claimAs(store, "a", { limit: 4 });
      await store.markSent(rows.slice(0, 3).map((row) => claimOf("a", row)));
      await store.markDead(claimOf("a", rows[3]), "refused", "no");
      equal(await store.sweep(10), 0, "before the retention is over");
      await world.advance(world.retentionMs + 20);
      equal([await store.sweep(2), await store.sweep(10), await store.sweep(10)], [2, 1, 0], "swept");
      const { waiting, sent, dead } = await store.counts();
      equal([waiting, sent, dead], [1, 0, 1], "waiting, sent, dead");
      equal((await addRows(world, rowOf("s-1"), rowOf("dead"))).added, ["s-1"], "keys that are new again");
    },
  },
];

const message = (key: string, more: Partial<InboxMessage> = {}): InboxMessage => ({
  consumer: "billing",
  key,
  ...more,
});

/** Applies a message in a transaction of its own, counting runs in `applied` when it does. */
async function apply(world: OutboxWorld<unknown>, what: InboxMessage, applied: string[] = []) {
  const work = async () => void applied.push(what.key);
  return (await world.transact((transaction) => consumeOnce(transaction, world.inbox, what, work))).kind;
}

/** A message is applied once, whatever its broker does. */
export const inboxCases: readonly OutboxCase[] = [
  {
    name: "I6: applies each of 20 messages once, delivered 5 times at once",
    async run(world) {
      const applied: string[] = [];
      const copies = Array.from({ length: 100 }, (_, index) => message(`m-${index % 20}`));
      const kinds = await Promise.all(copies.map((copy) => apply(world, copy, applied)));
      equal([applied.length, new Set(applied).size], [20, 20], "runs of the work");
      equal(kinds.filter((kind) => kind === "seen").length, 80, "duplicates");
    },
  },
  {
    name: "forgets a message whose work threw, and separates consumers and contents",
    async run(world) {
      const failing = world.transact((transaction) =>
        consumeOnce(transaction, world.inbox, message("m"), async () => {
          throw new Error("the work failed");
        }),
      );
      equal(await failing.catch((error: Error) => error.message), "the work failed", "the work's own error");
      equal(await apply(world, message("m", { digest: "d" })), "applied", "the next delivery");
      equal(await apply(world, message("m", { digest: "d", consumer: "mail" })), "applied", "another consumer");
      equal(await apply(world, message("m", { digest: "e" })), "mismatch", "the same key with another content");
      equal(await apply(world, message("m", { digest: "d" })), "seen", "the first content again");
    },
  },
  {
    name: "X-22, X-24: revisions that arrive as 1, 3, 2 end at 3; a revision is applied once whatever its key",
    async run(world) {
      const applied: string[] = [];
      const of = (key: string, revision: number) => message(key, { subject: { id: "order-1", revision } });
      const kinds: string[] = [];
      for (const one of [of("e1", 1), of("e3", 3), of("e2", 2), of("e3-again", 3), of("e2", 2)]) {
        kinds.push(await apply(world, one, applied));
      }
      equal(kinds, ["applied", "applied", "superseded", "superseded", "seen"], "answers");
      equal(applied, ["e1", "e3"], "applied");
      equal(
        await apply(world, message("x", { subject: { id: "order-2", revision: 1 } })),
        "applied",
        "another subject",
      );
    },
  },
  {
    name: "QJ-6: commits an offset after the transaction only: not when the work throws, again when the crash was between",
    async run(world) {
      const log: string[] = [];
      const turn = (work: () => Promise<void>, commitOffset: () => Promise<void>) =>
        consumeThenCommit({ transact: world.transact, inbox: world.inbox, message: message("m"), work, commitOffset });
      const offset = async () => void log.push("offset");
      const fail = (what: string) => async () => {
        log.push(what);
        throw new Error(what);
      };
      const ended = async (run: Promise<{ readonly kind: string }>) =>
        log.push(
          await run.then(
            ({ kind }) => kind,
            () => "crashed",
          ),
        );
      await ended(turn(fail("work threw"), offset));
      await ended(turn(async () => void log.push("work"), fail("offset lost")));
      await ended(turn(async () => void log.push("work twice"), offset));
      equal(log, ["work threw", "crashed", "work", "offset lost", "crashed", "offset", "seen"], "what happened");
    },
  },
  {
    name: "sweeps keys that no delivery has used for the retention time; a duplicate makes a key live longer",
    async run(world) {
      for (const key of ["old", "busy"]) await apply(world, message(key));
      await world.advance(world.retentionMs * 0.7);
      equal(await apply(world, message("busy")), "seen", "a duplicate");
      await world.advance(world.retentionMs * 0.5);
      equal(await world.inbox.sweep(10), 1, "swept");
      equal(
        [await apply(world, message("busy")), await apply(world, message("old"))],
        ["seen", "applied"],
        "afterwards",
      );
    },
  },
];
