import type { ControllerStore } from "../ports/controller-store.ts";
import { entry, find, must, mustNot, published, same, type StoreCase, stored } from "./store-world.ts";

/** Owners of a store: one after another, never two. */
export const ownershipCases: readonly StoreCase[] = [
  {
    name: "has one identity for ever and one owner: the latest process that took it",
    async run({ open }) {
      const first = await (await open()).own("proposed-1");
      const second = await (await open()).own("proposed-2");
      same(second.store, first.store, "the identity");
      same(second.owner, first.owner + 1, "the owner");
      same(await (await open()).keep(first.owner, 0), false, "whether the deposed owner may go on");
      same(await (await open()).keep(second.owner, 90_000), true, "whether the owner may go on");
      same((await (await open()).own("proposed-3")).announcedMs, 90_000, "what the owner before announced");
    },
  },
  {
    name: "tells who has it, that he lives and whether he gave it up",
    async run({ open, prefix }) {
      const [store, holder] = [await open(), { id: `${prefix}-a`, name: "process 7" }];
      const { store: identity, owner } = await store.own("proposed", holder);
      const found = await (await open()).owner();
      same(
        [found?.store, found?.owner, found?.holder, found?.isReleased],
        [identity, owner, holder, false],
        "the owner",
      );
      await store.keep(owner, 0);
      same(((await store.owner())?.beat ?? 0) > (found?.beat ?? 0), true, "whether his beat has grown");
      await store.release(owner - 1);
      same((await store.owner())?.isReleased, false, "whether another one could give it up");
      await store.release(owner);
      same((await store.owner())?.isReleased, true, "whether he gave it up");
      await store.own("proposed");
      const next = await store.owner();
      same([next?.owner, next?.holder.name, next?.isReleased], [owner + 1, "", false], "the next owner");
    },
  },
  {
    name: "I2: stores nothing in the name of an owner who has lost it, whatever the change expects",
    async run({ open, prefix }) {
      const [store, id] = [await open(), `${prefix}-deposed`];
      const { owner: first } = await store.own("proposed");
      await must(store, { owner: first, rollout: { expectedVersion: null, next: stored(id, 1) } });
      const { owner: second } = await (await open()).own("proposed");
      await mustNot(store, { owner: first, rollout: { expectedVersion: 1, next: stored(id, 2) } });
      await mustNot(store, { owner: first, published: { expected: null, next: published(`${id}-s`, 1, 1, 0) } });
      await mustNot(store, { owner: first, journal: [entry(id, 0)] });
      const answer = { key: `${prefix} late`, fingerprint: "f", status: 200, body: "{}" };
      await mustNot(store, { owner: first, answer });
      same([(await find(store, id))?.version, await store.answer(answer.key)], [1, null], "what is stored");
      await must(await open(), { owner: second, rollout: { expectedVersion: 1, next: stored(id, 2) } });
    },
  },
  {
    name: "I2: lets what is under way end before a takeover, and nothing after it, 20 times",
    async run({ open, prefix }) {
      const [one, other] = [await open(), await open()];
      for (let round = 0; round < 20; round++) await takeOver(one, other, `${prefix}-${round}`);
    },
  },
];

/** Eight writers who never stop by themselves; then another owner comes. */
async function takeOver(one: ControllerStore, other: ControllerStore, prefix: string): Promise<void> {
  const { owner } = await one.own("proposed");
  let isOver = false;
  const write = async (writer: number): Promise<number> => {
    for (let index = 0; ; index++) {
      const answer = { key: `${prefix} ${writer} ${index}`, fingerprint: "f", status: 200, body: "{}" };
      if (!(await one.commit({ owner, answer }))) return index;
      if (isOver && index > 10_000) return -1;
    }
  };
  const writers = Array.from({ length: 8 }, (_, writer) => write(writer));
  await other.own("proposed");
  isOver = true;
  const seen = async (writer: number, index: number) => (await other.answer(`${prefix} ${writer} ${index}`)) !== null;
  const stored = await Promise.all(
    writers.map(async (_, writer) => {
      let count = 0;
      while (await seen(writer, count)) count++;
      return count;
    }),
  );
  same(await Promise.all(writers), stored, "changes that were confirmed, and those that were there at the takeover");
}
