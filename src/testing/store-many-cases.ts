import { assert } from "../core/assert.ts";
import { epochMs } from "../core/unit.ts";
import type { ControllerStore, StoredRollout, StoredUnits } from "../ports/controller-store.ts";
import { after, find, must, same, type StoreCase, stored } from "./store-world.ts";

/** So many rollouts commit at once. */
const MANY = 24;

/** Rollouts that this handle has begun and changed once, so that it may tell what changes next. */
async function begun(store: ControllerStore, prefix: string): Promise<StoredRollout[]> {
  const rollouts = Array.from({ length: MANY }, (_, index) => stored(`${prefix}-${index}`, 1));
  for (const next of rollouts) await must(store, { rollout: { expectedVersion: null, next } });
  return Promise.all(rollouts.map((first) => step(store, first)));
}

async function step(store: ControllerStore, last: StoredRollout, owner?: number): Promise<StoredRollout> {
  const next = after(last);
  const change = { rollout: { expectedVersion: last.version, next } };
  assert(await store.commit(owner === undefined ? change : { owner, ...change }), `version ${next.version} is refused`);
  return next;
}

async function findUnended(
  store: ControllerStore,
  { rollout: { plan } }: StoredRollout,
): Promise<StoredRollout | null> {
  return (await store.unended()).find(({ rollout }) => rollout.plan.rolloutId === plan.rolloutId) ?? null;
}

function unitsOf({ rollout: { plan } }: StoredRollout, attempt: number): StoredUnits {
  const evidence = { table: { below: 2 ** 32, units: [] }, failures: null, classes: [] };
  return { rolloutId: plan.rolloutId, generation: 1, attempt, evidence: evidence as never };
}

/** Steps until the store refuses. Resolves with the last version that was confirmed. */
async function stepUntilRefused(store: ControllerStore, owner: number, first: StoredRollout): Promise<StoredRollout> {
  for (let last = first; ; ) {
    const next = after(last);
    const rollout = { expectedVersion: last.version, next };
    if (!(await store.commit({ owner, rollout, units: unitsOf(next, next.version) }))) return last;
    last = next;
  }
}

/** Many rollouts of one controller, whose commits a store may join, and those that are over. */
export const manyCases: readonly StoreCase[] = [
  {
    name: "takes the next versions of many rollouts at once, byte for byte; a stale one among them is refused alone",
    async run({ open, prefix }) {
      const store = await open();
      let last = await begun(store, `${prefix}-many`);
      for (let round = 0; round < 3; round++) last = await Promise.all(last.map((one) => step(store, one)));
      const stale = 7;
      const taken = await Promise.all(
        last.map((one, index) => {
          const expectedVersion = one.version - (index === stale ? 1 : 0);
          const next = after(one);
          return store.commit({ rollout: { expectedVersion, next }, units: unitsOf(one, index) });
        }),
      );
      same(
        taken.flatMap((isTaken, index) => (isTaken ? [] : [index])),
        [stale],
        "who was refused",
      );
      for (const [index, one] of last.entries()) {
        const { rolloutId } = one.rollout.plan;
        same(await find(await open(), rolloutId), index === stale ? one : after(one), `rollout ${index}`);
        same((await store.units(rolloutId))?.attempt, index === stale ? undefined : index, `its units`);
      }
      const mended = last[stale];
      assert(mended !== undefined, "it is one of them");
      same(await find(store, `${prefix}-many-${stale}`), mended, "the stale one before its next version");
      await step(store, mended);
    },
  },
  {
    name: "takes two versions of one rollout that come at once in their order, or the second one not at all",
    async run({ open, prefix }) {
      const store = await open();
      const [first] = await begun(store, `${prefix}-two`);
      assert(first !== undefined, "there are many");
      const second = after(first);
      const commit = (last: StoredRollout) =>
        store.commit({ rollout: { expectedVersion: last.version, next: after(last) } });
      const [isFirst, isSecond] = await Promise.all([commit(first), commit(second)]);
      same(isFirst, true, "whether the first was taken");
      same(await find(await open(), `${prefix}-two-0`), isSecond ? after(second) : second, "what is stored");
    },
  },
  {
    name: "I2: keeps of many that commit while another owner comes exactly what was confirmed, 5 times",
    async run({ open, prefix }) {
      for (let round = 0; round < 5; round++) {
        const [store, other] = [await open(), await open()];
        const last = await begun(store, `${prefix}-taken-${round}`);
        const { owner } = await store.own("proposed");
        const writing = last.map((one) => stepUntilRefused(store, owner, one));
        for (let turn = 0; turn < round; turn++) await store.hours(0); // Some statements later each time.
        const next = await other.own("proposed");
        const confirmed = await Promise.all(writing);
        for (const one of confirmed) {
          const { rolloutId } = one.rollout.plan;
          same(await find(other, rolloutId), one, `${rolloutId} after the takeover`);
          await step(other, one, next.owner);
        }
      }
    },
  },
  {
    name: "tells rollouts that are over from those that are not, by name, also after a next try of one",
    async run({ open, prefix }) {
      const store = await open();
      const [runs, ends] = [stored(`${prefix}-runs`, 1), stored(`${prefix}-ends`, 1)];
      for (const next of [runs, ends]) await must(store, { rollout: { expectedVersion: null, next } });
      await step(store, runs);
      const end = { phase: "aborted", endedAt: epochMs(5), startedAt: epochMs(4), splitOrdered: true } as const;
      const over = { ...ends, version: 2, rollout: { ...ends.rollout, ...end } };
      await must(store, { rollout: { expectedVersion: 1, next: over } });
      const told = async (handle: ControllerStore) => {
        const unended = await Promise.all([runs, ends].map((one) => findUnended(handle, one)));
        return [unended, (await handle.ended()).filter(({ rolloutId }) => rolloutId.startsWith(`${prefix}-`))];
      };
      const { service } = ends.rollout.plan;
      const short = { rolloutId: `${prefix}-ends`, service, generation: 1, version: 2, phase: "aborted" };
      const times = { startedAt: 4, endedAt: 5, splitOrdered: true, leaseMs: null };
      same(await told(await open()), [[after(runs), null], [{ ...short, ...times }]], "what is told");
      same((await store.ended(service)).length, 1, "those of its service");
      same(await store.ended(`${prefix}-nobody`), [], "those of another service");
      same(await store.rollout(`${prefix}-ends`), over, "the one that is over");
      same(await store.rollout(`${prefix}-nobody`), null, "one that is not there");
      const again = stored(`${prefix}-ends`, 3, { generation: 2 });
      await must(store, { rollout: { expectedVersion: 2, next: again } });
      same(await told(await open()), [[after(runs), again], []], "what is told of the next try");
    },
  },
];
