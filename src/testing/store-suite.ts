import { processCases } from "./store-process-cases.ts";
import { NO_ALLOCATIONS } from "../core/stats/allocation-e-process.ts";
import { assert } from "../core/assert.ts";
import { type EpochMs, epochMs } from "../core/unit.ts";
import type { Change, StoredPlane, StoredToken } from "../ports/controller-store.ts";
import {
  entry,
  find,
  must,
  mustNot,
  pointerMove,
  published,
  same,
  type StoreCase,
  type StoreWorld,
  stored,
} from "./store-world.ts";
import { manyCases } from "./store-many-cases.ts";
import { ownershipCases } from "./store-owner-cases.ts";
import { rolloutCases } from "./store-rollout-cases.ts";

const unitCases: readonly StoreCase[] = [
  {
    name: "keeps the latest evidence by unit of a rollout, and nothing of a rollout that stored none",
    async run({ open, prefix }) {
      const [store, rolloutId] = [await open(), `${prefix}-units`];
      const nobody = { below: 2 ** 32, dropped: 0, names: [] };
      const fuse = { seen: nobody, first: NO_ALLOCATIONS, moved: NO_ALLOCATIONS };
      const evidence = { table: { below: 2 ** 32, units: [] }, failures: fuse, classes: [] };
      same(await store.units(rolloutId), null, "the units before any");
      await must(store, { units: { rolloutId, generation: 1, attempt: 0, evidence } });
      const failures = { ...fuse, seen: { ...nobody, names: [7] } };
      await must(store, { units: { rolloutId, generation: 2, attempt: 0, evidence: { ...evidence, failures } } });
      const found = await (await open()).units(rolloutId);
      same([found?.generation, found?.evidence.failures.seen.names], [2, [7]], "the units");
    },
  },
  {
    name: "keeps the latest word about each data plane",
    async run({ open, prefix }) {
      const [store, service] = [await open(), `${prefix}-planes`];
      const plane: StoredPlane = {
        service,
        gatewayId: "g.1",
        planeId: "g",
        version: 2,
        firstSeenAt: epochMs(1),
        gone: null,
      };
      const gone = { at: epochMs(2), why: "forgotten", by: "ann", reason: "the rack burnt" } as const;
      await must(store, { planes: [plane, { ...plane, gatewayId: "h.1", planeId: "h" }] });
      await must(store, { planes: [{ ...plane, gone }] });
      const found = (await (await open()).planes()).filter((one) => one.service === service);
      same(
        found.map(({ gatewayId, gone: why }) => [gatewayId, why]),
        [
          ["g.1", gone],
          ["h.1", null],
        ],
        "the planes",
      );
    },
  },
];

const hourCases: readonly StoreCase[] = [
  {
    name: "keeps the latest count of each service and hour, and gives back those asked for",
    async run({ open, prefix }) {
      const [store, service] = [await open(), `${prefix}-hours`];
      const mine = async (since: number) => (await store.hours(since)).filter((hour) => hour.service === service);
      await must(store, {
        hours: [
          { service, hour: 7, requests: 1 },
          { service, hour: 8, requests: 5_000_000_000 },
        ],
      });
      await must(await open(), { hours: [{ service, hour: 7, requests: 3 }] });
      same(
        (await mine(0)).map(({ hour, requests }) => [hour, requests]),
        [
          [7, 3],
          [8, 5_000_000_000],
        ],
        "the hours",
      );
      same((await mine(8)).length, 1, "hours from the eighth on");
    },
  },
];

const tokenCases: readonly StoreCase[] = [
  {
    name: "keeps the newest state of every token, in the order they were made",
    async run({ open, prefix }) {
      const store = await open();
      const token = (name: string, revokedAt: EpochMs | null): StoredToken => {
        const life = { createdAt: epochMs(1), expiresAt: null, revokedAt };
        return { hash: `${prefix}-${name}`, name, scope: "gateway", ...life };
      };
      await must(store, { token: token("one", null) });
      await must(store, { token: token("two", null) });
      await must(await open(), { token: token("one", epochMs(2)) });
      const mine = (await store.tokens()).filter(({ hash }) => hash.startsWith(`${prefix}-`));
      same(mine, [token("one", epochMs(2)), token("two", null)], "the tokens");
    },
  },
];

const pointerCases: readonly StoreCase[] = [
  {
    name: "keeps every place of a service's pointer, and takes only the next one",
    async run({ open, prefix }) {
      const [store, service] = [await open(), `${prefix}-pointer`];
      await mustNot(store, { pointer: pointerMove(service, 2) });
      for (const version of [1, 2, 3]) await must(await open(), { pointer: pointerMove(service, version) });
      await mustNot(store, { pointer: pointerMove(service, 3) });
      await mustNot(store, { pointer: pointerMove(service, 5) });
      const newest = (await store.pointers()).filter(({ pointer }) => pointer.service === service);
      same(newest, [pointerMove(service, 3)], "the newest place");
      same(
        await store.pointerHistory(service),
        [1, 2, 3].map((one) => pointerMove(service, one)),
        "the history",
      );
    },
  },
  {
    name: "moves a pointer and publishes a document together or not at all",
    async run({ open, prefix }) {
      const [store, service] = [await open(), `${prefix}-pointer-atomic`];
      const next = published(service, 1, 1, 0);
      await mustNot(store, { published: { expected: null, next }, pointer: pointerMove(service, 2) });
      same(
        (await store.published()).filter(({ document }) => document.service === service),
        [],
        "the document",
      );
      await must(store, { published: { expected: null, next }, pointer: pointerMove(service, 1) });
      const stale = { expected: { epoch: 9, seq: 9 }, next: published(service, 2, 1, 0) };
      await mustNot(store, { published: stale, pointer: pointerMove(service, 2) });
      same((await store.pointerHistory(service)).length, 1, "places");
    },
  },
];

const journalCases: readonly StoreCase[] = [
  {
    name: "I10: keeps a journal in order, without gaps and without doubles",
    async run({ open, prefix }) {
      const [store, id] = [await open(), `${prefix}-journal`];
      await must(store, { journal: [entry(id, 0), entry(id, 1)] });
      await must(store, { journal: [entry(id, 2)] });
      await mustNot(store, { journal: [entry(id, 2)] });
      await mustNot(store, { journal: [entry(id, 4)] });
      same(await store.journal(id), [entry(id, 0), entry(id, 1), entry(id, 2)], "the journal");
      same(await store.journal(`${prefix}-nobody`), [], "the journal of nobody");
    },
  },
  {
    name: "stores a state, its journal entry, document, report and answer together or not at all",
    async run({ open, prefix }) {
      const [store, id] = [await open(), `${prefix}-atomic`];
      const key = `POST /${id} k1`;
      await must(store, { rollout: { expectedVersion: null, next: stored(id, 1) } });
      const rest: Change = {
        journal: [entry(id, 0)],
        published: { expected: null, next: published(`${id}-service`, 1, 1, 0) },
        answer: { key, fingerprint: "f", status: 200, body: "{}" },
      };
      await mustNot(store, { rollout: { expectedVersion: 5, next: stored(id, 6) }, ...rest });
      const lateDocument = published(`${id}-service`, 1, 1, 0);
      const stale: Change = { ...rest, published: { expected: { epoch: 9, seq: 9 }, next: lateDocument } };
      await mustNot(store, { rollout: { expectedVersion: 1, next: stored(id, 2) }, ...stale });
      same((await find(store, id))?.version, 1, "the version");
      same(await store.journal(id), [], "the journal");
      same(await store.answer(key), null, "the answer");
      await must(store, { rollout: { expectedVersion: 1, next: stored(id, 2) }, ...rest });
      same((await store.journal(id)).length, 1, "entries");
      same((await store.answer(key))?.body, "{}", "the answer");
    },
  },
];

const documentCases: readonly StoreCase[] = [
  {
    name: "I8: replaces a document only where the expected (epoch, seq) is the stored one",
    async run({ open, prefix }) {
      const [store, service] = [await open(), `${prefix}-document`];
      const current = async () => (await store.published()).find(({ document }) => document.service === service);
      await mustNot(store, { published: { expected: { epoch: 1, seq: 1 }, next: published(service, 1, 2, 0) } });
      await must(store, { published: { expected: null, next: published(service, 1, 1, 100) } });
      await mustNot(store, { published: { expected: null, next: published(service, 1, 1, 0) } });
      await must(store, { published: { expected: { epoch: 1, seq: 1 }, next: published(service, 2, 1, 0) } });
      await mustNot(store, { published: { expected: { epoch: 1, seq: 1 }, next: published(service, 1, 2, 5_000) } });
      same(await current(), published(service, 2, 1, 0), "the document");
    },
  },
  {
    name: "lets one of 10 racers for one (epoch, seq) win",
    async run({ open, prefix }) {
      const service = `${prefix}-document-race`;
      const race = async (share: number): Promise<boolean> =>
        (await open()).commit({ published: { expected: null, next: published(service, 1, 1, share) } });
      const won = await Promise.all(Array.from({ length: 10 }, (_, index) => race(index)));
      same(won.filter(Boolean).length, 1, "winners");
    },
  },
];

const answerCases: readonly StoreCase[] = [
  {
    name: "replays the first answer of a key; another key has none",
    async run({ open, prefix }) {
      const [store, key] = [await open(), `POST /${prefix} k2`];
      const first = { key, fingerprint: "f1", status: 201, body: '{"a":1}' };
      await must(store, { answer: first });
      await must(store, { answer: { ...first, body: "second" } });
      same(await store.answer(key), first, "the answer");
      same(await store.answer(`${key}3`), null, "another key's answer");
    },
  },
  {
    name: "keeps probe reports in order, one for each that was asked for, the latest run of it",
    async run({ open, prefix }) {
      const [store, rolloutId] = [await open(), `${prefix}-reports`];
      // The store does not look inside a report; any JSON stands for one here.
      const put = (orderId: string, report: unknown) =>
        must(store, { report: { rolloutId, orderId, report: report as NonNullable<Change["report"]>["report"] } });
      await put("r/1/0", { run: 1 });
      await put("r/1/1", { run: 2 });
      await put("r/1/0", { run: 3 });
      const reports = (await store.reports(rolloutId)) as unknown;
      const expected = [
        { orderId: "r/1/0", report: { run: 3 } },
        { orderId: "r/1/1", report: { run: 2 } },
      ];
      same(reports, expected, "the reports");
    },
  },
];

/** What every controller store must do. Data without a test runner. */
export const storeSuite: readonly StoreCase[] = [
  ...rolloutCases,
  ...manyCases,
  ...ownershipCases,
  ...unitCases,
  ...hourCases,
  ...tokenCases,
  ...pointerCases,
  ...journalCases,
  ...documentCases,
  ...processCases,
  ...answerCases,
];

/** Registers the suite with a test runner. A waiver names its case and gives the reason; a stale waiver fails. */
export function storeConformance(
  world: () => StoreWorld,
  it: (name: string, run: () => Promise<void>) => void,
  waived: Readonly<Record<string, string>> = {},
): void {
  for (const name of Object.keys(waived))
    assert(
      storeSuite.some((one) => one.name === name),
      `stale waiver: ${name}`,
    );
  for (const one of storeSuite) if (!(one.name in waived)) it(one.name, () => one.run(world()));
}
