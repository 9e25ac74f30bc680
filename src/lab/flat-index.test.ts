import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { flatIndex, type Metric } from "./flat-index.ts";

const manifest = { name: "n", INDEX_HASH: "h", METRIC: "m", ANALYZER: "a", EMBED_SCHEMA: "e", BUILD_TS: "t" };
const indexOf = (rows: readonly (readonly number[])[], metric: Metric) => {
  return flatIndex(manifest, Float32Array.from(rows.flat()), rows[0]!.length, metric);
};

describe("flatIndex", () => {
  it("ranks by angle under cosine and by distance under l2", async () => {
    const rows = [
      [10, 0, 0, 0],
      [1, 1, 0, 0],
    ];
    const question = Float32Array.of(1, 0, 0, 0);
    const cosine = await indexOf(rows, "cosine").search(question, 2);
    const l2 = await indexOf(rows, "l2").search(question, 2);
    expect(cosine.map(({ row }) => row)).toEqual([0, 1]);
    expect(cosine[0]?.score).toBeCloseTo(1, 6);
    expect(cosine[1]?.score).toBeCloseTo(Math.SQRT1_2, 6);
    expect(l2.map(({ row }) => row)).toEqual([1, 0]);
    expect(l2.map(({ score }) => score)).toEqual([1 / 2, 1 / 10]);
  });

  it("breaks ties by row, returns fewer than k from a smaller index, and scores a zero vector 0", async () => {
    const index = indexOf(
      [
        [0, 0, 0, 0],
        [2, 0, 0, 0],
        [1, 0, 0, 0],
      ],
      "cosine",
    );
    expect(await index.search(Float32Array.of(3, 0, 0, 0), 9)).toEqual([
      { row: 1, score: 1 },
      { row: 2, score: 1 },
      { row: 0, score: 0 },
    ]);
  });

  it("finds the same rows as sorting everything, for dense and for sparse questions", async () => {
    const dims = 64;
    const value = fc.integer({ min: -4, max: 4 });
    const vector = fc.array(value, { minLength: dims, maxLength: dims });
    const sparse = fc
      .tuple(fc.nat(dims - 1), value)
      .map(([at, x]) => Array.from({ length: dims }, (_, i) => (i === at ? x : 0)));
    await fc.assert(
      fc.asyncProperty(
        fc.array(vector, { minLength: 1, maxLength: 20 }),
        fc.oneof(vector, sparse),
        async (rows, question) => {
          const distance = (row: readonly number[]) => Math.hypot(...row.map((x, i) => x - question[i]!));
          const expected = rows
            .map(distance)
            .toSorted((left, right) => left - right)
            .slice(0, 5);
          const hits = await indexOf(rows, "l2").search(Float32Array.from(question), 5);
          const found = hits.map(({ row }) => distance(rows[row]!));
          expect(found).toHaveLength(expected.length);
          for (const [place, value_] of expected.entries()) expect(found[place]).toBeCloseTo(value_, 4);
        },
      ),
    );
  });

  it("throws on rows or questions of another shape", async () => {
    expect(() => flatIndex(manifest, new Float32Array(9), 8, "cosine")).toThrow(/not rows of 8/);
    expect(() => flatIndex(manifest, new Float32Array(6), 6, "cosine")).toThrow(/multiple of four/);
    await expect(indexOf([[1, 0, 0, 0]], "cosine").search(new Float32Array(8), 1)).rejects.toThrow(/4 dimensions: 8/);
  });
});
