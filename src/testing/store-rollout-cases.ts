import { epochMs } from "../core/unit.ts";
import type { PrunedRollout } from "../ports/controller-store.ts";
import { after, entry, find, must, mustNot, same, type StoreCase, stored } from "./store-world.ts";

/** What a store must do with rollouts: states, changes of them, and their removal. */
export const rolloutCases: readonly StoreCase[] = [
  {
    name: "gives a rollout back byte for byte, to every handle",
    async run({ open, prefix }) {
      const next = stored(`${prefix}-bytes`, 1);
      await must(await open(), { rollout: { expectedVersion: null, next } });
      same(await find(await open(), `${prefix}-bytes`), next, "the rollout");
    },
  },
  {
    name: "takes a change at the expected version only, and a new rollout only once",
    async run({ open, prefix }) {
      const [store, id] = [await open(), `${prefix}-version`];
      await mustNot(store, { rollout: { expectedVersion: 1, next: stored(id, 2) } });
      await must(store, { rollout: { expectedVersion: null, next: stored(id, 1) } });
      await mustNot(store, { rollout: { expectedVersion: null, next: stored(id, 1) } });
      await must(store, { rollout: { expectedVersion: 1, next: stored(id, 2) } });
      await mustNot(store, { rollout: { expectedVersion: 1, next: stored(id, 2, { generation: 9 }) } });
      same((await find(store, id))?.rollout.plan.generation, 1, "the generation");
    },
  },
  {
    name: "lets one of 10 racers at one version win",
    async run({ open, prefix }) {
      const id = `${prefix}-race`;
      await must(await open(), { rollout: { expectedVersion: null, next: stored(id, 1) } });
      const race = async (generation: number): Promise<number[]> => {
        const next = stored(id, 2, { generation });
        return (await (await open()).commit({ rollout: { expectedVersion: 1, next } })) ? [generation] : [];
      };
      const winners = (await Promise.all(Array.from({ length: 10 }, (_, index) => race(index + 1)))).flat();
      same(winners.length, 1, "winners");
      same((await find(await open(), id))?.rollout.plan.generation, winners[0], "what is stored");
    },
  },
  {
    name: "gives back what the last of many changes left, byte for byte, to every handle",
    async run({ open, prefix }) {
      const [store, id] = [await open(), `${prefix}-many`];
      let next = stored(id, 1);
      await must(store, { rollout: { expectedVersion: null, next } });
      for (let version = 2; version <= 300; version++) {
        next = after(next);
        await must(store, { rollout: { expectedVersion: version - 1, next } });
        if (version % 50 === 0) same(await find(await open(), id), next, `version ${version}`);
      }
      same(await find(await open(), id), next, "the last version");
    },
  },
  {
    name: "goes on from what another handle changed, and refuses what was told of the version before",
    async run({ open, prefix }) {
      const [one, other, id] = [await open(), await open(), `${prefix}-handles`];
      const first = stored(id, 1);
      const [second, third] = [after(first), after(after(first))];
      await must(one, { rollout: { expectedVersion: null, next: first } });
      await must(one, { rollout: { expectedVersion: 1, next: second } });
      await must(other, { rollout: { expectedVersion: 2, next: third } });
      await mustNot(one, { rollout: { expectedVersion: 2, next: third } });
      same(await find(one, id), third, "what is stored");
      await must(one, { rollout: { expectedVersion: 3, next: after(third) } });
      same(await find(other, id), after(third), "what is stored after both");
    },
  },
  {
    name: "forgets the plan of the try before with its next one",
    async run({ open, prefix }) {
      const [store, id] = [await open(), `${prefix}-next-try`];
      const first = stored(id, 1);
      await must(store, { rollout: { expectedVersion: null, next: first } });
      await must(store, { rollout: { expectedVersion: 1, next: after(first) } });
      const again = { ...stored(id, 3, { generation: 2, drainMs: 7 }), createdAt: epochMs(5) };
      await must(store, { rollout: { expectedVersion: 2, next: again } });
      same(await find(await open(), id), again, "the second try");
    },
  },
  {
    name: "removes a rollout with all that was stored of it at the expected version only, and says for ever which it was",
    async run({ open, prefix }) {
      const [store, id, other] = [await open(), `${prefix}-pruned`, `${prefix}-stays`];
      const evidence = { table: { below: 2 ** 32, units: [] }, failures: null, classes: [] } as never;
      for (const rolloutId of [id, other]) {
        const first = stored(rolloutId, 1);
        await must(store, { rollout: { expectedVersion: null, next: first }, journal: [entry(rolloutId, 0)] });
        const report = { rolloutId, orderId: "r/1/0", report: { run: 1 } as never };
        const units = { rolloutId, generation: 1, attempt: 0, evidence };
        await must(store, { rollout: { expectedVersion: 1, next: after(first) }, report, units });
      }
      const end = { phase: "promoted", endedAt: epochMs(2), at: epochMs(3), by: "ann" } as const;
      const left: PrunedRollout = { rolloutId: id, service: "s", generation: 1, ...end };
      await mustNot(store, { pruned: { expectedVersion: 1, left } });
      same((await store.journal(id)).length, 1, "entries after a refusal");
      await must(await open(), { pruned: { expectedVersion: 2, left } });
      const found = async (of: string) => [
        (await find(store, of)) === undefined,
        (await store.journal(of)).length,
        (await store.reports(of)).length,
        (await store.units(of)) === null,
        (await store.pruned()).filter(({ rolloutId }) => rolloutId === of),
      ];
      same(await found(id), [true, 0, 0, true, [left]], "what is left");
      same(await found(other), [false, 1, 1, false, []], "what is left of another one");
      await mustNot(store, { pruned: { expectedVersion: 2, left } });
      await must(store, { rollout: { expectedVersion: null, next: stored(id, 1) }, journal: [entry(id, 0)] });
      await must(store, { rollout: { expectedVersion: 1, next: after(stored(id, 1)) } });
      same(await find(await open(), id), after(stored(id, 1)), "one of its name");
    },
  },
  {
    name: "does not share memory with its callers",
    async run({ open, prefix }) {
      const [store, id] = [await open(), `${prefix}-copy`];
      await must(store, { rollout: { expectedVersion: null, next: stored(id, 1) } });
      const taken = await find(store, id);
      (taken as { version: number }).version = 77;
      same((await find(store, id))?.version, 1, "the version");
    },
  },
];
