import { assert } from "../core/assert.ts";
import { addRows, claimAs, claimOf, equal, KEEP_MS, keysOf, type OutboxCase, rowOf } from "./outbox-world.ts";

const twenty = Array.from({ length: 20 }, (_, index) => rowOf(`k-${String(index).padStart(2, "0")}`));

/** Who gets which row, and in which order. */
export const claimCases: readonly OutboxCase[] = [
  {
    name: "claims the oldest rows up to the limit, and a claimed row again only after its lease: then it is doubtful",
    async run(world) {
      await addRows(world, ...twenty);
      const [one, two] = [world.open(), world.open()];
      const first = await claimAs(one, "a", { limit: 3, leaseMs: world.leaseMs });
      equal(keysOf(first), ["k-00", "k-01", "k-02"], "first claim");
      equal(
        first.map(({ tries, doubtful }) => [tries, doubtful]),
        Array(3).fill([1, false]),
        "tries and doubt",
      );
      equal(keysOf(await claimAs(two, "b", { limit: 3 })), ["k-03", "k-04", "k-05"], "claim of another relay");
      await world.advance(world.leaseMs + 20);
      const again = (await claimAs(two, "b")).filter(({ effectKey }) => effectKey < "k-03");
      equal(keysOf(again), ["k-00", "k-01", "k-02"], "after the lease");
      for (const [index, row] of again.entries()) {
        equal([row.tries, row.doubtful], [2, true], "tries and doubt of the second claim");
        assert(row.token > (first[index]?.token ?? 0), `the token grows: ${first[index]?.token} -> ${row.token}`);
      }
    },
  },
  {
    name: "gives each of 200 rows to one of 4 relays that claim at once",
    async run(world) {
      await addRows(world, ...Array.from({ length: 200 }, (_, index) => rowOf(`k-${index}`)));
      const claim = async (owner: string) => {
        const got: string[] = [];
        const store = world.open();
        for (;;) {
          const rows = await claimAs(store, owner, { limit: 7 });
          if (rows.length === 0) return got;
          got.push(...keysOf(rows));
        }
      };
      const all = (await Promise.all(["a", "b", "c", "d"].map(claim))).flat();
      equal([all.length, new Set(all).size], [200, 200], "rows claimed, different rows");
    },
  },
  {
    name: "claims only the oldest unsent row of an order key, also while that one waits for another try",
    async run(world) {
      const [store, o] = [world.open(), { orderKey: "o" }];
      await addRows(world, rowOf("o-1", o), rowOf("o-2", o), rowOf("o-3", o));
      await addRows(world, rowOf("p-1", { orderKey: "p" }), rowOf("other", { ...o, topic: "mail" }), rowOf("free"));
      const first = await claimAs(store, "a");
      equal(keysOf(first), ["o-1", "p-1", "other", "free"], "heads");
      equal(keysOf(await claimAs(store, "b")), [], "while the head is claimed");
      const head = claimOf("a", first[0]);
      equal(await store.markFailed(head, "503", world.leaseMs), true, "failed");
      equal(keysOf(await claimAs(store, "b")), [], "while the head waits");
      await world.advance(world.leaseMs + 20);
      const retried = await claimAs(store, "b");
      equal(keysOf(retried), ["o-1"], "the head's second try");
      await store.markSent([claimOf("b", retried[0])]);
      equal(keysOf(await claimAs(store, "b")), ["o-2"], "the next one");
    },
  },
  {
    name: "lets rows pass a dead letter of their order key with skip, at once",
    async run(world) {
      const [store, o] = [world.open(), { orderKey: "o" }];
      await addRows(world, rowOf("o-1", o), rowOf("o-2", o));
      const [head] = await claimAs(store, "a");
      equal(keysOf(await claimAs(store, "a")), [], "behind the head");
      await store.markDead(claimOf("a", head), "refused", "410");
      equal(keysOf(await claimAs(store, "a")), ["o-2"], "behind the dead letter");
    },
  },
  {
    name: "holds rows back behind a dead letter of their order key with block, until a person settles or replays it",
    async run(world) {
      const [store, block] = [world.open(), { afterDead: "block" } as const];
      const keys = ["o", "p"].map((orderKey) => [
        rowOf(`${orderKey}-1`, { orderKey }),
        rowOf(`${orderKey}-2`, { orderKey }),
      ]);
      await addRows(world, ...keys.flat(), rowOf("free"));
      const heads = await claimAs(store, "a", block);
      equal(keysOf(heads), ["o-1", "p-1", "free"], "heads");
      for (const head of heads) await store.markDead(claimOf("a", head), "refused", "410");
      equal(keysOf(await claimAs(store, "a", block)), [], "behind the dead letters");
      equal(
        [await store.settle("o-1", "ada"), await store.replay("p-1")],
        [true, true],
        "a person settles and replays",
      );
      const next = await claimAs(store, "a", block);
      equal(keysOf(next).sort(), ["o-2", "p-1"], "afterwards");
      await store.markSent(next.map((row) => claimOf("a", row)));
      equal(keysOf(await claimAs(store, "a", block)), ["p-2"], "after the replayed row was sent");
    },
  },
  {
    name: "finds the rows behind a line of 500 of one order key, and goes on with that line at once",
    async run(world) {
      const store = world.open();
      await addRows(world, ...Array.from({ length: 500 }, (_, index) => rowOf(`line-${index}`, { orderKey: "line" })));
      await addRows(world, rowOf("other", { orderKey: "other" }), rowOf("free"));
      const first = await claimAs(store, "a", { limit: 5 });
      equal(keysOf(first), ["line-0", "other", "free"], "one of the line, and the others");
      let last = first[0];
      for (let place = 1; place <= 5; place++) {
        await store.markSent([claimOf("a", last)]);
        const rows = await claimAs(store, "a", { limit: 5 });
        equal(keysOf(rows), [`line-${place}`], `place ${place}`);
        last = rows[0];
      }
    },
  },
  {
    name: "does not hurry a row that waits for its time or its next try when the one before it is settled",
    async run(world) {
      const [store, orderKey] = [world.open(), "o"];
      const notBeforeEpochMs = world.wallMs() + world.leaseMs;
      await addRows(world, rowOf("o-1", { orderKey }), rowOf("o-2", { orderKey, notBeforeEpochMs }));
      const [head] = await claimAs(store, "a");
      await store.markSent([claimOf("a", head)]);
      equal(keysOf(await claimAs(store, "a")), [], "before its time");
      await world.advance(world.leaseMs + 50);
      equal(keysOf(await claimAs(store, "a")), ["o-2"], "after its time");
    },
  },
  {
    name: "I8, I14: refuses an epoch below the newest that claimed, on every handle; its open claims may still be marked",
    async run(world) {
      await addRows(world, ...twenty);
      const [blue, green] = [world.open(), world.open()];
      const [held] = await claimAs(blue, "blue", { epoch: 6, limit: 1 });
      equal((await claimAs(green, "green", { epoch: 7, limit: 1 })).length, 1, "the new epoch's claim");
      for (const store of [blue, green, world.open()]) {
        for (const epoch of [6, 0]) {
          const order = { owner: "blue", epoch, leaseMs: KEEP_MS, limit: 1, afterDead: "skip" } as const;
          equal(await store.claimBatch(order), { kind: "stale-epoch", epoch: 7 }, `epoch ${epoch}`);
        }
      }
      equal(await blue.markSent([claimOf("blue", held)]), [held?.id], "what it had claimed before");
      equal((await claimAs(green, "green", { epoch: 7 })).length, 18, "rows left for the new epoch");
    },
  },
  {
    name: "gives back rows that were not sent: due at once, the try not counted, doubt kept",
    async run(world) {
      const store = world.open();
      await addRows(world, rowOf("k"));
      const [first] = await claimAs(store, "a", { leaseMs: world.leaseMs });
      equal(await store.release([claimOf("a", first)]), [first?.id], "given back");
      equal(await store.release([claimOf("a", first)]), [], "given back again: no longer its own");
      const [second] = await claimAs(store, "b", { leaseMs: world.leaseMs });
      equal([second?.tries, second?.doubtful], [1, false], "tries and doubt after a release");
      await world.advance(world.leaseMs + 20);
      const [third] = await claimAs(store, "c");
      await store.release([claimOf("c", third)]);
      const [fourth] = await claimAs(store, "d");
      equal([fourth?.tries, fourth?.doubtful], [2, true], "tries and doubt after a lost claim and a release");
    },
  },
];

/** Only the owner of the newest claim says what came of a row (I22). */
export const markCases: readonly OutboxCase[] = [
  {
    name: "I22: refuses every mark of a paused relay after another one claimed its 20 rows, and takes the other's",
    async run(world) {
      await addRows(world, ...twenty);
      const [one, two] = [world.open(), world.open()];
      const zombies = (await claimAs(one, "a", { leaseMs: world.leaseMs })).map((row) => claimOf("a", row));
      await world.advance(world.leaseMs + 20);
      const heirs = (await claimAs(two, "b")).map((row) => claimOf("b", row));
      equal([zombies.length, heirs.length], [20, 20], "rows of both");
      const refusedAll = async (when: string) => {
        equal(await one.markSent(zombies), [], `${when}: markSent`);
        equal(await one.release(zombies), [], `${when}: release`);
        for (const zombie of zombies) {
          equal(await one.markFailed(zombie, "late", 0), false, `${when}: markFailed`);
          equal(await one.markDead(zombie, "refused", "late"), false, `${when}: markDead`);
        }
      };
      await refusedAll("while the other one holds them");
      equal((await two.markSent(heirs)).length, 20, "the other one's marks");
      await refusedAll("after they were sent");
      const { sent, dead } = await one.counts();
      equal([sent, dead], [20, 0], "sent, dead");
    },
  },
  {
    name: "refuses the right owner under another token and another owner under the right token",
    async run(world) {
      const store = world.open();
      await addRows(world, rowOf("k"));
      const claim = claimOf("a", (await claimAs(store, "a"))[0]);
      for (const wrong of [
        { ...claim, owner: "b" },
        { ...claim, token: claim.token + 1 },
        { ...claim, id: "999999" },
      ]) {
        equal(await store.markSent([wrong]), [], "sent");
        equal(await store.markFailed(wrong, "x", 0), false, "failed");
        equal(await store.markDead(wrong, "refused", "x"), false, "dead");
        equal(await store.release([wrong]), [], "released");
      }
      equal(await store.markSent([claim]), [claim.id], "the owner");
    },
  },
  {
    name: "takes a mark after the lease ended when nobody claimed since, and the same mark again when its reply was lost",
    async run(world) {
      const store = world.open();
      await addRows(world, rowOf("sent"), rowOf("failed"), rowOf("dead"));
      const claims = (await claimAs(store, "a", { leaseMs: world.leaseMs })).map((row) => claimOf("a", row));
      const [sent, failed, dead] = claims as [(typeof claims)[0], (typeof claims)[0], (typeof claims)[0]];
      await world.advance(world.leaseMs + 20);
      for (let time = 0; time < 2; time++) {
        equal(await store.markSent([sent]), [sent.id], "sent");
        equal(await store.markFailed(failed, "503", KEEP_MS), true, "failed");
        equal(await store.markDead(dead, "refused", "410"), true, "dead");
      }
      equal(await store.markFailed(sent, "late", 0), false, "a sent row does not go back");
      equal(await store.markSent([dead]), [], "a dead letter is a person's");
      const { oldestUnsentMs: _, ...counts } = await store.counts();
      equal(counts, { waiting: 1, claimed: 0, sent: 1, dead: 1 }, "counts");
    },
  },
];
