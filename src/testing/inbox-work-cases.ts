import { assert } from "../core/assert.ts";
import { accepted, drain, type InboxCase, orderOf, same, takeOwn } from "./inbox-world.ts";

/** Handing out, settling, giving up. */
export const workCases: readonly InboxCase[] = [
  {
    name: "hands out oldest first, each of 60 to one of four takers at once, none twice",
    async run(world) {
      const inboxes = [world.open(), world.open()] as const;
      const ids = Array.from({ length: 60 }, (_, index) => `item-${index}`);
      for (const id of ids) await accepted(inboxes[0], orderOf(world, id), "accepted", id);
      const taken = await Promise.all([0, 1, 2, 3].map((n) => takeOwn(world, inboxes[(n % 2) as 0 | 1], 15)));
      for (const batch of taken) {
        const places = batch.map(({ eventId }) => ids.indexOf(eventId));
        same(places.join(), [...places].sort((a, b) => a - b).join(), "oldest first within a batch");
      }
      const rest = await drain(world, inboxes[1]);
      const all = [...taken.flat().map(({ eventId }) => eventId), ...rest];
      same(new Set(all).size, all.length, "none twice");
      same(all.length, 60, "none left out");
    },
  },
  {
    name: "hands out again what was not settled within its lease, and refuses the former taker",
    async run(world) {
      const [one, two] = [world.open(), world.open()];
      await accepted(one, orderOf(world, "lease"), "accepted", "delivery");
      const [first] = await takeOwn(world, one, 10, world.unitMs);
      assert(first !== undefined, "handed out");
      same((await takeOwn(world, two, 10)).length, 0, "while the lease runs");
      await world.advance(world.unitMs + 5);
      const [second] = await takeOwn(world, two, 10);
      assert(second !== undefined, "handed out again");
      same(second.takes, 2, "takes");
      same(await one.settle(first, { kind: "dead", reason: "late" }), false, "former taker");
      same(await two.settle(second, { kind: "done" }), true, "new taker");
      same(await two.settle(second, { kind: "done" }), true, "its answer was lost and it says so again");
      same(await two.settle(second, { kind: "dead", reason: "no" }), false, "done is done");
      same((await two.read(first.dedupeKey))?.state, "done", "state");
    },
  },
  {
    name: "waits before it hands out what was given back, with the reason kept",
    async run(world) {
      const inbox = world.open();
      await accepted(inbox, orderOf(world, "again"), "accepted", "delivery");
      const [first] = await takeOwn(world, inbox, 10);
      assert(first !== undefined, "handed out");
      const back = { kind: "again", delayMs: world.unitMs, reason: "the store was away" } as const;
      same(await inbox.settle(first, back), true, "given back");
      same((await takeOwn(world, inbox, 10)).length, 0, "during the delay");
      await world.advance(world.unitMs + 5);
      const [second] = await takeOwn(world, inbox, 10);
      same(JSON.stringify([second?.takes, second?.reason]), '[2,"the store was away"]', "takes and reason");
    },
  },
  {
    name: "I7: lists what was given up, keeps its key, and revives it under the same key",
    async run(world) {
      const inbox = world.open();
      const order = orderOf(world, "dead");
      await accepted(inbox, order, "accepted", "delivery");
      const [entry] = await takeOwn(world, inbox, 10);
      assert(entry !== undefined, "handed out");
      same(await inbox.settle(entry, { kind: "dead", reason: "bad schema" }), true, "given up");
      await accepted(inbox, order, "duplicate", "delivered again");
      const dead = (await inbox.listDead(1_000)).filter(({ dedupeKey }) => dedupeKey === order.dedupeKey);
      same(JSON.stringify(dead.map(({ reason, state }) => [reason, state])), '[["bad schema","dead"]]', "dead letter");
      same(await inbox.revive(order.dedupeKey), true, "revived");
      same(await inbox.revive(order.dedupeKey), false, "revived twice");
      same((await drain(world, inbox)).join(), "dead", "handed out again");
    },
  },
];

/** The window of a key. */
export const windowCases: readonly InboxCase[] = [
  {
    name: "remembers a done key for its window after the last delivery, then takes it as new",
    async run(world) {
      const inbox = world.open();
      const order = orderOf(world, "window", { retainMs: 2 * world.unitMs });
      await accepted(inbox, order, "accepted", "first");
      await drain(world, inbox);
      for (const round of [1, 2, 3]) {
        await world.advance(1.2 * world.unitMs);
        await accepted(inbox, order, "duplicate", `delivery ${round}, in the window of the last one`);
      }
      await world.advance(2 * world.unitMs + 5);
      await accepted(inbox, { ...order, digest: "digest-2" }, "accepted", "after the window");
      same((await inbox.read(order.dedupeKey))?.deliveries, 1, "counted from one");
      same((await drain(world, inbox)).join(), "window", "handed out");
    },
  },
  {
    name: "remembers the newest revision for its window, and not for ever",
    async run(world) {
      const inbox = world.open();
      const revision = (number: number) => orderOf(world, "old", { revision: number, retainMs: world.unitMs });
      await accepted(inbox, revision(7), "accepted", "revision 7");
      await accepted(inbox, revision(6), "superseded", "revision 6");
      await drain(world, inbox);
      await world.advance(world.unitMs + 5);
      await accepted(inbox, revision(3), "accepted", "revision 3, when nothing newer is remembered");
    },
  },
  {
    name: "sweeps done and superseded keys past their window, at most the limit, never queued or dead ones",
    async run(world) {
      const inbox = world.open();
      const brief = { retainMs: world.unitMs };
      for (const id of ["a", "b", "c"]) await accepted(inbox, orderOf(world, id, brief), "accepted", id);
      await drain(world, inbox);
      for (const id of ["dead", "queued"]) await accepted(inbox, orderOf(world, id, brief), "accepted", id);
      const [first] = await takeOwn(world, inbox, 1);
      assert(first !== undefined, "handed out");
      await inbox.settle(first, { kind: "dead", reason: "given up" });
      await world.advance(world.unitMs + 5);
      assert((await inbox.sweep(2)) <= 2, "the limit");
      while ((await inbox.sweep(50)) > 0);
      const states = await Promise.all(
        ["a", "b", "c", "dead", "queued"].map(async (id) => (await inbox.read(orderOf(world, id).dedupeKey))?.state),
      );
      same(JSON.stringify(states), '[null,null,null,"dead","queued"]', "what is left");
      await accepted(inbox, orderOf(world, "queued", brief), "duplicate", "a queued key, however old");
    },
  },
];
