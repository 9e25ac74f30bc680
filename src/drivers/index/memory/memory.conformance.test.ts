import { describe, expect, it } from "vitest";
import { indexConformance, type IndexWorld } from "../../../testing/index-suite.ts";
import { type MemoryIndexes, memoryIndexAliases } from "./driver.ts";

function world(): IndexWorld {
  const store: MemoryIndexes = { indexes: new Map(), aliases: new Map() };
  return {
    open: () => memoryIndexAliases(store),
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

describe("index/memory", () => {
  const names: string[] = [];
  indexConformance(world, (name, run) => {
    names.push(name);
    it(name, run);
  });

  it("is asked every case once", () => {
    expect(names.length).toBeGreaterThan(15);
    expect(new Set(names).size).toBe(names.length);
  });
});
