import { assert } from "../core/assert.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { IndexAliases } from "../ports/index-alias.ts";
import { flipCases, refusalCases } from "./index-flip-cases.ts";
import {
  expectRefused,
  expectTarget,
  FIRST_HASH,
  type IndexCase,
  type IndexWorld,
  openScene,
  SECOND_HASH,
} from "./index-world.ts";

export type { IndexCase, IndexScene, IndexWorld, WantedIndex } from "./index-world.ts";

const CASE_MS = 30_000;

/** Every question that can be asked of a store. */
function everyQuestion(aliases: IndexAliases, index: string, signal: AbortSignal): readonly Promise<unknown>[] {
  return [
    aliases.describe(index, signal),
    aliases.readAlias(index, signal),
    aliases.readThrough(index, signal),
    aliases.flip({ alias: index, from: index, to: `${index}_2`, epoch: 3 }, signal),
  ];
}

/** What is read of indexes and names. */
const readingCases: readonly IndexCase[] = [
  {
    name: "says what an index holds and what it is stamped with, field by field",
    async run({ aliases, signal, first, second }) {
      for (const [index, count, metric, analyzer, hash] of [
        [first, 3, "cosine", "words", FIRST_HASH],
        [second, 5, "l2", "stems", SECOND_HASH],
      ] as const) {
        const facts = await aliases.describe(index, signal);
        const [said, stamp] = [JSON.stringify(facts), facts?.stamp];
        assert(facts?.name === index && facts.count === count, `${index} says ${said}, expected ${count} rows`);
        assert(facts.notReady === null, `${index} is not ready: ${facts.notReady}`);
        assert(stamp?.indexHash === hash && stamp.count === count, `${index} is stamped ${said}, expected ${hash}`);
        assert(stamp.metric === metric && stamp.analyzer === analyzer, `${index} is stamped ${said}`);
        // The store's own word may be missing; it may never be the other index's.
        assert(
          facts.metric === null || facts.metric === metric,
          `${index} says ${facts.metric}, was built with ${metric}`,
        );
      }
    },
  },
  {
    name: "knows no index that is not there, and makes up no stamp for one without",
    async run({ world, aliases, signal }) {
      const [none, bare] = [`${world.prefix}_none`, `${world.prefix}_bare`];
      const missing = await aliases.describe(none, signal);
      assert(missing === null, `an index that is not there says ${JSON.stringify(missing)}`);
      await world.build(bare, { count: 2, metric: "cosine", analyzer: "words", indexHash: null });
      const facts = await aliases.describe(bare, signal);
      assert(facts?.stamp === null && facts.count === 2, `an unstamped index says ${JSON.stringify(facts)}`);
    },
  },
  {
    name: "knows no name that is not there",
    async run({ world, aliases, signal }) {
      const none = `${world.prefix}_none`;
      const [target, read] = [await aliases.readAlias(none, signal), await aliases.readThrough(none, signal)];
      assert(target === null && read.length === 0, `no name, and yet ${JSON.stringify({ target, read })}`);
    },
  },
  {
    name: "reads through the name the stamp of whatever index it points to",
    async run({ world, aliases, signal, live, first, second }) {
      const bare = `${world.prefix}_bare`;
      await world.build(bare, { count: 2, metric: "cosine", analyzer: "words", indexHash: null });
      const expectRead = async (hash: string | null) => {
        const read = await world.open().readThrough(live, signal);
        const isSo = read.length > 0 && read.every((one) => one === hash);
        assert(isSo, `read ${JSON.stringify(read)} through the name, expected ${hash} alone`);
      };
      await expectRead(FIRST_HASH);
      await aliases.flip({ alias: live, from: first, to: second, epoch: 2 }, signal);
      await expectRead(SECOND_HASH);
      await aliases.flip({ alias: live, from: second, to: bare, epoch: 3 }, signal);
      await expectRead(null);
    },
  },
  {
    name: "reads what the store says after somebody moved the name past it, and refuses to go on from what it knew",
    async run(scene) {
      const { world, aliases, signal, live, first, second } = scene;
      await world.moveBehind(live, second);
      const [target, read] = [await aliases.readAlias(live, signal), await aliases.readThrough(live, signal)];
      assert(
        target?.index === second,
        `the name points to ${second}, the handle that moved it last says ${target?.index}`,
      );
      assert(
        read.every((hash) => hash === SECOND_HASH),
        `read ${JSON.stringify(read)} through the name`,
      );
      const third = `${world.prefix}_v3`;
      await world.build(third, { count: 1, metric: "l2", analyzer: "words", indexHash: null });
      await expectRefused(scene, { from: first, to: third }, second);
    },
  },
];

/** Conversations that end otherwise. */
const conversationCases: readonly IndexCase[] = [
  {
    name: "asks nothing and moves nothing once its signal has aborted, and rejects with the signal's reason",
    async run(scene) {
      const reason = new Error("given up");
      const asked = await Promise.allSettled(everyQuestion(scene.aliases, scene.first, AbortSignal.abort(reason)));
      const { live, first, second } = scene;
      const flip = { alias: live, from: first, to: second, epoch: 9 };
      asked.push(...(await Promise.allSettled([scene.aliases.flip(flip, AbortSignal.abort(reason))])));
      for (const one of asked) {
        const found = one.status === "rejected" ? String(one.reason) : JSON.stringify(one.value);
        assert(one.status === "rejected" && one.reason === reason, `an aborted question ended with ${found}`);
      }
      await expectTarget(scene, live, first);
    },
  },
  {
    name: "calls a store that is away unreachable or timed out, safe to ask again: a flip is recognised",
    async run({ world, signal, first }) {
      const away = world.openAway();
      if (away === null) return;
      for (const one of await Promise.allSettled(everyQuestion(away, first, signal))) {
        const error: unknown = one.status === "rejected" ? one.reason : one.value;
        const found = error instanceof DriverError ? `${error.code} ${error.retry}` : JSON.stringify(error);
        const isSo = ["unreachable safe", "timeout safe"].includes(found);
        assert(isSo, `a store that is away gave ${found} (${String(error)}), expected unreachable safe`);
      }
    },
  },
];

/** What every vector store with a public name must do. Data without a test runner. */
export const indexSuite: readonly IndexCase[] = [...readingCases, ...flipCases, ...refusalCases, ...conversationCases];

/** Registers the suite with a test runner. A waiver names its case and gives the reason; a stale waiver fails. */
export function indexConformance(
  open: () => IndexWorld | Promise<IndexWorld>,
  it: (name: string, run: () => Promise<void>) => void,
  waived: Readonly<Record<string, string>> = {},
): void {
  for (const name of Object.keys(waived))
    assert(
      indexSuite.some((one) => one.name === name),
      `stale waiver: ${name}`,
    );
  for (const one of indexSuite) {
    if (one.name in waived) continue;
    it(one.name, async () => {
      const world = await open();
      try {
        await one.run(await openScene(world, AbortSignal.timeout(CASE_MS)));
      } finally {
        await world.end();
      }
    });
  }
}
