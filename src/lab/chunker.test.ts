import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChunkSchema, chunkSchema, chunkSection } from "./chunker.ts";

const chunked = (text: string, schema: ChunkSchema) => chunkSection({ doc: "d", section: "d#s", text }, schema);

describe("chunkSection", () => {
  it("cuts windows of 4 words that share 1 with the next", () => {
    const chunks = chunked("a b c d e f g h", { words: 4, overlap: 1 });
    expect(chunks.map(({ text }) => text)).toEqual(["a b c d", "d e f g", "g h"]);
    expect(chunks[1]).toEqual({ id: "d#s@6-13", doc: "d", section: "d#s", start: 6, end: 13, text: "d e f g" });
  });

  it("has 80 words with 20 shared by default, and a quarter shared at any size", () => {
    expect(chunkSchema()).toEqual({ words: 80, overlap: 20 });
    expect(chunkSchema(8)).toEqual({ words: 8, overlap: 2 });
  });

  it("makes one chunk of a text shorter than the window and none of a text without words", () => {
    expect(chunked("  one two ", chunkSchema())).toMatchObject([{ start: 2, end: 9, text: "one two" }]);
    expect(chunked(" \n ", chunkSchema())).toEqual([]);
  });

  it("counts offsets in code points, not in UTF-16 units", () => {
    expect(chunked("😀 b 😀 d", { words: 2, overlap: 0 }).map(({ start, end }) => [start, end])).toEqual([
      [0, 3],
      [4, 7],
    ]);
  });

  it("holds every word, and each chunk's text is exactly its range of code points", () => {
    const text = fc
      .array(fc.constantFrom("a", "bb", "😀", " ", "\n", "é"), { maxLength: 60 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 9 }), (source, words) => {
        const chunks = chunked(source, chunkSchema(words));
        const points = [...source];
        for (const { start, end, text: part } of chunks) expect(points.slice(start, end).join("")).toBe(part);
        const covered = new Set(
          chunks.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i)),
        );
        for (const [place, point] of points.entries()) if (/\S/.test(point)) expect(covered.has(place)).toBe(true);
        expect(new Set(chunks.map(({ id }) => id)).size).toBe(chunks.length);
      }),
    );
  });

  it("throws on a window without words or an overlap that never moves on", () => {
    expect(() => chunked("a", { words: 0, overlap: 0 })).toThrow(/at least one word/);
    expect(() => chunked("a", { words: 2, overlap: 2 })).toThrow(/overlap 0\.\.1/);
  });
});
