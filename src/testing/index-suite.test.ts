import { describe, expect, it } from "vitest";
import { type MemoryIndexes, memoryIndexAliases } from "../drivers/index/memory/index.ts";
import type { IndexAliases } from "../ports/index-alias.ts";
import { indexSuite, type IndexWorld } from "./index-suite.ts";
import { openScene } from "./index-world.ts";

type Wrong = (right: IndexAliases, store: MemoryIndexes) => Partial<IndexAliases>;

function world(wrong: Wrong): IndexWorld {
  const store: MemoryIndexes = { indexes: new Map(), aliases: new Map() };
  return {
    open: () => {
      const right = memoryIndexAliases(store);
      return { ...right, ...wrong(right, store) };
    },
    openAway: () => null,
    async build(name, { count, metric, analyzer, indexHash }) {
      const built = { metric, analyzer, embedSchema: "e", builtAt: "2026-01-01T00:00:00Z", count };
      const stamp = indexHash === null ? null : { indexHash, ...built };
      store.indexes.set(name, { name, count, dims: 2, metric, analyzer, stamp, notReady: null });
    },
    async moveBehind(alias, index) {
      store.aliases.set(alias, { ...store.aliases.get(alias)!, index });
    },
    prefix: "w",
    end: async () => {},
  };
}

/** Stores that are wrong in one thing, each as real ones are. */
const WRONG: Readonly<Record<string, Wrong>> = {
  "writes without looking": (_, { aliases }) => ({
    async flip({ alias, to, epoch }) {
      aliases.set(alias, { index: to, epoch, previous: null });
      return { kind: "moved" };
    },
  }),
  "looks, and writes later": (right, { aliases }) => ({
    async flip(flip, signal) {
      signal.throwIfAborted();
      const found = aliases.get(flip.alias)?.index ?? null;
      await Promise.resolve();
      if (found !== flip.from) return right.flip(flip, signal);
      aliases.set(flip.alias, { index: flip.to, epoch: flip.epoch, previous: found });
      return { kind: "moved" };
    },
  }),
  "forgets epochs": (right, { aliases }) => ({
    async flip(flip, signal) {
      const now = aliases.get(flip.alias);
      if (now !== undefined) aliases.set(flip.alias, { ...now, epoch: 0 });
      return right.flip(flip, signal);
    },
  }),
  "echoes its last order": (right) => {
    let last: string | null = null;
    return {
      async flip(flip, signal) {
        last = flip.to;
        return right.flip(flip, signal);
      },
      async readAlias(alias, signal) {
        const found = await right.readAlias(alias, signal);
        return found === null || last === null ? found : { ...found, index: last };
      },
    };
  },
  "reads the stamp of the index it was told, not of the name": (right, { indexes }) => ({
    readThrough: async () => [indexes.get("w_v1")?.stamp?.indexHash ?? null],
    describe: right.describe,
  }),
  "removes what the name leaves": (right, { indexes }) => ({
    async flip(flip, signal) {
      const result = await right.flip(flip, signal);
      if (result.kind === "moved" && flip.from !== null && flip.from !== flip.to) indexes.delete(flip.from);
      return result;
    },
  }),
  "makes up a stamp": (right) => ({
    async describe(index, signal) {
      const facts = await right.describe(index, signal);
      const stamp = { indexHash: "0".repeat(64), metric: "cosine", analyzer: "words", embedSchema: "e" };
      return facts === null ? null : { ...facts, stamp: facts.stamp ?? { ...stamp, builtAt: "now", count: 0 } };
    },
  }),
  "does not hear its signal": (right) => ({
    flip: (flip) => right.flip(flip, new AbortController().signal),
  }),
};

describe("the index suite", () => {
  it.each(Object.entries(WRONG))("(checker) notices a store that %s", async (_, wrong) => {
    const caught: string[] = [];
    for (const one of indexSuite) {
      const run = openScene(world(wrong), AbortSignal.timeout(5_000)).then((scene) => one.run(scene));
      await run.catch(() => caught.push(one.name));
    }
    expect(caught).not.toEqual([]);
    expect(caught.length).toBeLessThan(indexSuite.length);
  });
});
