import { assert } from "../core/assert.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { OutboxRow } from "../ports/outbox-store.ts";
import { addRows, claimAs, equal, keysOf, type OutboxCase, rowOf } from "./outbox-world.ts";

/** Rows a store must refuse, by what is wrong with them. */
const UNKEEPABLE: Readonly<Record<string, Partial<OutboxRow>>> = {
  "an empty effect key": { effectKey: "" },
  "a topic of 256 characters": { topic: "t".repeat(256) },
  "an empty order key": { orderKey: "" },
  "U+0000 in text": { payload: "a\0b" },
  "half a surrogate pair": { payload: "a\uD800" },
  "a payload of 1 MiB and 1 byte": { payload: new Uint8Array(1_048_577) },
  "headers above 16 KiB": { headers: { long: "x".repeat(16_384) } },
  "a time that is none": { notBeforeEpochMs: Number.NaN },
};

/** Rows exist when the business change does, once for each effect key. */
export const writeCases: readonly OutboxCase[] = [
  {
    name: "shows rows after the commit only, and none of a transaction that was rolled back",
    async run(world) {
      const store = world.open();
      const ended = world.transact(async (transaction) => {
        await store.add(transaction, [rowOf("gone-1"), rowOf("gone-2")]);
        throw new Error("the business change failed");
      });
      const failure = await ended.then(
        () => "committed",
        (error: Error) => error.message,
      );
      equal(failure, "the business change failed", "the transaction's own error");
      equal(keysOf(await claimAs(store, "a")), [], "rows after the rollback");
      equal((await addRows(world, rowOf("gone-1"))).added, ["gone-1"], "the key is free again");
      equal(keysOf(await claimAs(store, "a")), ["gone-1"], "rows after the commit");
    },
  },
  {
    name: "writes one row for an effect key: twice in one add, in one transaction, in later ones and in 10 at once",
    async run(world) {
      const first = await world.transact(async (transaction) => {
        const twice = await world.open().add(transaction, [rowOf("k"), rowOf("other"), rowOf("k")]);
        return [twice, await world.open().add(transaction, [rowOf("k")])];
      });
      equal(
        first,
        [
          { added: ["k", "other"], repeated: ["k"], mismatched: [] },
          { added: [], repeated: ["k"], mismatched: [] },
        ],
        "in one transaction",
      );
      equal((await addRows(world, rowOf("k"))).repeated, ["k"], "in a later transaction");
      const racing = await Promise.all(Array.from({ length: 10 }, () => addRows(world, rowOf("race"))));
      equal(racing.filter(({ added }) => added.length === 1).length, 1, "one of ten transactions at once adds it");
      equal(keysOf(await claimAs(world.open(), "a")).sort(), ["k", "other", "race"], "rows");
    },
  },
  {
    name: "says mismatched for a key that was used for another payload, topic or order key, and keeps the first row",
    async run(world) {
      await addRows(world, rowOf("k", { payload: "first", orderKey: "o" }));
      const answer = await addRows(
        world,
        rowOf("k", { payload: "second", orderKey: "o" }),
        rowOf("new", { payload: "x" }),
      );
      equal(answer, { added: ["new"], repeated: [], mismatched: ["k"] }, "another payload");
      const others = [{ topic: "other" }, { orderKey: "p" }, { payload: new TextEncoder().encode("first") }];
      for (const other of others) {
        const found = await addRows(world, rowOf("k", { payload: "first", orderKey: "o", ...other }));
        equal(found.mismatched, ["k"], `another ${Object.keys(other)[0]}`);
      }
      equal((await claimAs(world.open(), "a"))[0]?.payload, "first", "kept payload");
    },
  },
  {
    name: "gives back text, bytes of every value, headers and keys as they were given",
    async run(world) {
      const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256);
      const headers = { "content-type": "application/json", "x-Ünï": 'a"b\\c\n' };
      const text = '{"naïve":"日本 👍","quote":"\'\\""}';
      await addRows(
        world,
        rowOf("ключ-1", { payload: text, headers, orderKey: "o'1" }),
        rowOf("b", { payload: bytes }),
      );
      await addRows(world, rowOf("empty", { payload: "" }));
      const [first, second, third] = await claimAs(world.open(), "a");
      const { id: _, ...event } = first ?? { id: "" };
      const given = { effectKey: "ключ-1", topic: "order", orderKey: "o'1", payload: text, headers };
      const { effectKey, topic, orderKey, payload, headers: gotHeaders } = event as typeof given;
      equal({ effectKey, topic, orderKey, payload, headers: gotHeaders }, given, "text row");
      const got = second?.payload;
      assert(got instanceof Uint8Array && got.length === bytes.length, `bytes come back as bytes: ${typeof got}`);
      assert(
        got.every((byte, index) => byte === bytes[index]),
        "every byte is the one given",
      );
      equal([third?.payload, third?.orderKey, third?.headers], ["", null, {}], "an empty payload and the defaults");
    },
  },
  {
    name: "refuses what it cannot keep and writes nothing of that transaction (8 ways)",
    async run(world) {
      for (const [what, wrong] of Object.entries(UNKEEPABLE)) {
        const failure = await addRows(world, rowOf("good"), rowOf("bad", wrong)).then(
          () => null,
          (error: unknown) => error,
        );
        const isRefused = failure instanceof DriverError && failure.code === "rejected" && failure.retry === "never";
        assert(isRefused, `${what}: expected a DriverError "rejected", found ${String(failure)}`);
      }
      equal(keysOf(await claimAs(world.open(), "a")), [], "rows");
    },
  },
  {
    name: "holds a row back until its time, and its order key with it",
    async run(world) {
      const notBeforeEpochMs = world.wallMs() + world.leaseMs;
      await addRows(world, rowOf("later", { notBeforeEpochMs, orderKey: "o" }), rowOf("behind", { orderKey: "o" }));
      await addRows(world, rowOf("past", { notBeforeEpochMs: 1 }));
      equal(keysOf(await claimAs(world.open(), "a")), ["past"], "before its time");
      await world.advance(world.leaseMs + 50);
      equal(keysOf(await claimAs(world.open(), "a")), ["later"], "after its time");
    },
  },
  {
    name: "keeps the order of commits within an order key, with 20 transactions at once",
    async run(world) {
      const committed: string[] = [];
      const writes = Array.from({ length: 20 }, (_, index) =>
        world.transact(async (transaction) => {
          await world.open().add(transaction, [rowOf(`k-${index}`, { orderKey: "one" })]);
          committed.push(`k-${index}`); // Nobody else can be here before this one commits.
          for (let turn = 0; turn < 5; turn++) await Promise.resolve();
        }),
      );
      await Promise.all(writes);
      const [store, sent]: [ReturnType<typeof world.open>, string[]] = [world.open(), []];
      for (let left = 20; left > 0; left--) {
        const rows = await claimAs(store, "a");
        sent.push(...keysOf(rows));
        await store.markSent(rows.map(({ id, token }) => ({ owner: "a", id, token })));
      }
      equal(sent, committed, "order of sending");
    },
  },
];
