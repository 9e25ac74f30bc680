import type { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { IndexStamp } from "../../../core/release/index-facts.ts";
import { type BuiltRow, buildTable } from "./build.ts";
import { pgvectorAliases } from "./driver.ts";
import { blankDatabase } from "../../../../test/blank-database.ts";

const signal = new AbortController().signal;

function stampOf(count: number): IndexStamp {
  const shape = { metric: "l2", analyzer: "it's \\ odd", embedSchema: "e@1" };
  return { indexHash: "6".repeat(64), builtAt: "2026-01-01T00:00:00Z", count, ...shape };
}

function* rows(count: number, dims: number): Iterable<BuiltRow> {
  for (let row = 0; row < count; row++) {
    const vector = Array.from({ length: dims }, (_, place) => (place === 0 ? row : 1e-7 * place));
    yield { id: `c${row}`, section: "s", start: 0, end: 4, text: `te'xt ${row}`, vector };
  }
}

describe.each([true, false])("building a table (extension vector: %s)", (hasVector) => {
  let client: PGlite;
  beforeAll(async () => {
    client = await blankDatabase(hasVector ? { extensions: { vector } } : {});
    if (hasVector) await client.query("create extension vector");
  });
  afterAll(() => client.close());

  it("holds every row, is searched by its metric where the extension is, and is stamped last", async () => {
    const shape = { index: "docs-v3-green", dims: 3, metric: "l2" } as const;
    const built = await buildTable(client, shape, rows(450, 3), stampOf);
    expect(built).toEqual({ type: hasVector ? "vector" : "real[]", isSearched: hasVector });
    const facts = await pgvectorAliases({ client }).describe("docs-v3-green", signal);
    const own = { count: 450, dims: 3, metric: hasVector ? "l2" : null, notReady: null };
    expect(facts).toMatchObject({ ...own, stamp: stampOf(450) });
    const nearest = hasVector ? "order by embedding <-> '[7,0,0]'" : "where embedding[1] = 7";
    const found = await client.query(`select id, body from "docs-v3-green" ${nearest} limit 1`);
    expect(found.rows).toEqual([{ id: "c7", body: "te'xt 7" }]);
  });

  it("carries no stamp when its build ended in the middle, and is never written to again", async () => {
    const shape = { index: "broken", dims: 3, metric: "cosine" } as const;
    function* failing(): Iterable<BuiltRow> {
      yield* rows(300, 3);
      throw new Error("the embedder is away");
    }
    await expect(buildTable(client, shape, failing(), stampOf)).rejects.toThrow("the embedder is away");
    expect(await pgvectorAliases({ client }).describe("broken", signal)).toMatchObject({ count: 200, stamp: null });
    const again = buildTable(client, shape, rows(1, 3), stampOf);
    await expect(again).rejects.toMatchObject({ code: "rejected", retry: "never", message: /is never written to/ });
    expect(await pgvectorAliases({ client }).describe("broken", signal)).toMatchObject({ count: 200 });
  });

  it("makes no index of more dimensions than one can have", async () => {
    const shape = { index: "wide", dims: 2_001, metric: "cosine" } as const;
    expect((await buildTable(client, shape, rows(2, 2_001), stampOf)).isSearched).toBe(false);
    expect(await pgvectorAliases({ client }).describe("wide", signal)).toMatchObject({ dims: 2_001, metric: null });
  });
});
