import { epochMs } from "../core/unit.ts";
import type { ProcessEntry, StoredGrant, StoredProcess } from "../ports/controller-store.ts";
import { must, mustNot, same, type StoreCase } from "./store-world.ts";

const AT = epochMs(1_800_000_000_000);

function process(processId: string, version: number): StoredProcess {
  const state = { plan: { name: processId }, at: version, text: "λ → “ß”" };
  return { processId, kind: "cutover", service: `${processId}-s`, schema: 1, state, version, createdAt: AT };
}

function entry(processId: string, index: number): ProcessEntry {
  const order = { id: `${processId}/1/${index}`, port: "index", verb: "flip", args: { to: "candidate" }, withinMs: 10 };
  return { processId, index, generation: 1, event: { kind: "tick", at: AT }, orders: [order], notes: ["moved"] };
}

function grant(service: string, version: number, token: number): StoredGrant {
  const said = { process: "c-1", orderId: `c-1/1/${version}`, at: AT, pointerEpoch: 3, isHandedOver: version > 1 };
  return { service, holder: `r-${version}`, token, frozenUntil: version === 2 ? AT : null, version, ...said };
}

/** Processes that are no rollouts, and who may act on effects. */
export const processCases: readonly StoreCase[] = [
  {
    name: "keeps the state of a process with its journal, and takes only what follows both",
    async run({ open, prefix }) {
      const [store, id] = [await open(), `${prefix}-process`];
      await must(store, { process: { expectedVersion: null, next: process(id, 1), entry: entry(id, 0) } });
      await must(store, { process: { expectedVersion: 1, next: process(id, 2), entry: entry(id, 1) } });
      await mustNot(store, { process: { expectedVersion: null, next: process(id, 3), entry: entry(id, 2) } });
      await mustNot(store, { process: { expectedVersion: 1, next: process(id, 3), entry: entry(id, 2) } });
      await mustNot(store, { process: { expectedVersion: 2, next: process(id, 3), entry: entry(id, 1) } });
      await mustNot(store, { process: { expectedVersion: 2, next: process(id, 3), entry: entry(id, 3) } });
      const other = await open();
      same(
        (await other.processes()).filter(({ processId }) => processId === id),
        [process(id, 2)],
        "the processes",
      );
      same(await other.processJournal(id), [entry(id, 0), entry(id, 1)], "the journal");
      same(await other.processJournal(`${id}-other`), [], "the journal of nobody");
    },
  },
  {
    name: "keeps one grant of a service, and takes only the next one",
    async run({ open, prefix }) {
      const [store, service] = [await open(), `${prefix}-granted`];
      await mustNot(store, { grant: grant(service, 2, 7) });
      await must(store, { grant: grant(service, 1, 7) });
      await mustNot(store, { grant: grant(service, 1, 8) });
      await must(store, { grant: grant(service, 2, 8) });
      await mustNot(store, { grant: grant(service, 4, 9) });
      same(
        (await (await open()).grants()).filter((one) => one.service === service),
        [grant(service, 2, 8)],
        "the grant",
      );
    },
  },
  {
    name: "writes nothing of a process whose grant is not the next one, and nothing of the grant either",
    async run({ open, prefix }) {
      const [store, id] = [await open(), `${prefix}-both`];
      await must(store, { process: { expectedVersion: null, next: process(id, 1), entry: entry(id, 0) } });
      const next = { expectedVersion: 1, next: process(id, 2), entry: entry(id, 1) };
      await mustNot(store, { process: next, grant: grant(id, 2, 7) });
      await mustNot(store, { process: { ...next, expectedVersion: 5 }, grant: grant(id, 1, 7) });
      const mine = (await store.processes()).filter(({ processId }) => processId === id);
      same(
        [mine, (await store.grants()).some(({ service }) => service === id)],
        [[process(id, 1)], false],
        "what is stored",
      );
    },
  },
];
