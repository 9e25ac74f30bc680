import { assert } from "../core/assert.ts";
import type { Section } from "../probe/markdown.ts";

/** A window of words within one section. */
export interface Chunk {
  /** `<section>@<start>-<end>`; changes when the corpus is chunked differently. */
  readonly id: string;
  readonly doc: string;
  readonly section: string;
  /** Code points within the section's text, end exclusive; `text` is exactly that range. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface ChunkSchema {
  /** Window size in white-space separated words. */
  readonly words: number;
  /** Words shared by neighbouring windows; less than `words`. */
  readonly overlap: number;
}

/** Default windows; smaller ones keep the same quarter of overlap. */
export function chunkSchema(words = 80): ChunkSchema {
  return { words, overlap: Math.floor(words / 4) };
}

/**
 * Windows over a section, in order, that together hold every word of it. A section without a word has none.
 */
export function chunkSection(section: Section, schema: ChunkSchema): readonly Chunk[] {
  assert(Number.isInteger(schema.words) && schema.words >= 1, `chunk of at least one word: ${schema.words}`);
  assert(schema.overlap >= 0 && schema.overlap < schema.words, `overlap 0..${schema.words - 1}: ${schema.overlap}`);
  const words = [...section.text.matchAll(/\S+/g)].map(({ index, 0: word }) => ({
    from: index,
    to: index + word.length,
  }));
  const codePoints = (from: number, to: number): number => Array.from(section.text.slice(from, to)).length;
  const chunks: Chunk[] = [];
  let [seenUnits, seenPoints] = [0, 0];
  for (let first = 0; first < words.length; first += schema.words - schema.overlap) {
    const last = Math.min(first + schema.words, words.length) - 1;
    const [from, to] = [words[first]!.from, words[last]!.to];
    seenPoints += codePoints(seenUnits, from);
    seenUnits = from;
    const text = section.text.slice(from, to);
    const [start, end] = [seenPoints, seenPoints + codePoints(from, to)];
    chunks.push({
      id: `${section.section}@${start}-${end}`,
      doc: section.doc,
      section: section.section,
      start,
      end,
      text,
    });
    if (last === words.length - 1) break;
  }
  return chunks;
}
