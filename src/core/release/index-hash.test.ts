import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import vectors from "../../../test/vectors/index-hash.v1.json" with { type: "json" };
import { type IndexedChunk, indexHash, indexHasher } from "./index-hash.ts";
import { leafHash, merkleRoot } from "./merkle.ts";

const sha = (...parts: readonly (string | Uint8Array)[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** The tree as it is usually drawn: level by level, a lonely node moving up. */
function rootByLevels(leaves: readonly Uint8Array[]): string {
  let level: readonly Uint8Array[] = leaves;
  while (level.length > 1) {
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, pair) => {
      const [left, right] = [level[2 * pair]!, level[2 * pair + 1]];
      return right === undefined ? left : sha("\x01", left, right);
    });
  }
  return Buffer.from(level[0] ?? sha("")).toString("hex");
}

describe("merkleRoot", () => {
  it("hashes leaves and nodes under different prefixes and moves a lonely node up", () => {
    const [a, b, c] = ["a", "b", "c"].map((leaf) => sha("\0", JSON.stringify(leaf)));
    expect(merkleRoot([leafHash("a")])).toBe(a!.toString("hex"));
    expect(merkleRoot(["a", "b", "c"].map(leafHash))).toBe(sha("\x01", sha("\x01", a!, b!), c!).toString("hex"));
    expect(merkleRoot([])).toBe(sha("").toString("hex"));
  });

  it("is that of the levels for 0 to 200 leaves, taken from a stream", () => {
    const leaves = Array.from({ length: 200 }, (_, leaf) => leafHash(leaf));
    for (let count = 0; count <= 200; count++) {
      const some = leaves.slice(0, count);
      expect(merkleRoot(some.values())).toBe(rootByLevels(some));
    }
  });
});

const { spec } = vectors.cases[0]!;
const chunk = fc.record({
  id: fc.string({ unit: "binary", minLength: 1 }),
  section: fc.string(),
  start: fc.nat(),
  end: fc.nat(),
  text: fc.string({ unit: "binary" }),
}) satisfies fc.Arbitrary<IndexedChunk>;

describe("INDEX_HASH", () => {
  it.each(vectors.cases)("is the frozen one for: $note", (frozen) => {
    expect(indexHash(frozen.spec, frozen.chunks)).toBe(frozen.INDEX_HASH);
  });

  it("is the same in whatever order chunks come, ids that are there twice included", () => {
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 12 }), (chunks) => {
        const same = [...chunks, ...chunks.slice(0, 2)];
        const moved = [...same].reverse();
        expect(indexHash(spec, moved)).toBe(indexHash(spec, same));
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  it("differs when any field of any chunk or of the spec differs, or a chunk is missing", () => {
    const { chunks, INDEX_HASH } = vectors.cases[2]!;
    const [first, ...others] = chunks as [IndexedChunk, ...IndexedChunk[]];
    const altered = [
      { ...first, id: "b#y@0-4" },
      { ...first, section: "b#w" },
      { ...first, start: 1 },
      { ...first, end: 4 },
      { ...first, text: "too" },
    ].map((one) => indexHash(spec, [one, ...others]));
    const shapes = Object.keys(spec).map((field) => indexHash({ ...spec, [field]: "other" }, chunks));
    const all = [INDEX_HASH, indexHash(spec, others), ...altered, ...shapes];
    expect(new Set(all).size).toBe(2 + 5 + 5);
  });

  it("has no part in what a spec says besides, such as the time of the build", () => {
    const later = { ...spec, BUILD_TS: "2026-01-01T00:00:00Z" };
    expect(indexHash(later, [])).toBe(indexHash(spec, []));
  });

  it("names an id that was added twice", () => {
    const hasher = indexHasher();
    for (const one of vectors.cases[5]!.chunks) hasher.add(one);
    expect([hasher.count, hasher.doubled()]).toEqual([7, null]);
    hasher.add({ ...vectors.cases[5]!.chunks[3]!, text: "another" });
    expect([hasher.count, hasher.doubled()]).toEqual([8, "s3"]);
  });
});
