import { assert } from "../core/assert.ts";
import { digestOf } from "../core/release/merkle.ts";
import { hash32 } from "./seeded.ts";
import { ANALYZER, terms } from "./terms.ts";

export const EMBED_DIMS = 2048;

/**
 * How text becomes a vector. Vectors are stored with their lengths: the metric `cosine` divides by them, `l2` does not,
 * so that the metric is a property of the index and not of the embedder.
 */
const EMBED_DESCRIPTION = {
  model: "sluice-lab/lexical-hash@1",
  dims: EMBED_DIMS,
  normalisation: "none",
  pooling: "sum of (1 + ln tf) * idf, signed feature hashing",
  prefixes: { document: "words of the section id", query: "" },
  dtype: "float32",
  tokenizer: ANALYZER,
};

/** @source definitions.md §6 */
export const EMBED_SCHEMA = digestOf(EMBED_DESCRIPTION);

/** In how many of `count` texts each term occurs; learnt from the index's own corpus and stored with it. */
export interface TermStatistics {
  readonly count: number;
  readonly documentFrequency: Readonly<Record<string, number>>;
}

/** Counts the texts that contain each term. */
export function learnTerms(texts: readonly string[]): TermStatistics {
  const frequency = new Map<string, number>();
  for (const text of texts) {
    for (const term of new Set(terms(text))) frequency.set(term, (frequency.get(term) ?? 0) + 1);
  }
  const ordered = [...frequency].sort(([left], [right]) => (left < right ? -1 : 1));
  return { count: texts.length, documentFrequency: Object.fromEntries(ordered) };
}

export interface LexicalEmbedder {
  /** How much a term tells, from its rarity; the highest value for a term the corpus never uses. */
  weight(term: string): number;
  isKnown(term: string): boolean;
  /** `EMBED_DIMS` numbers; all zero when no known term is in the text. */
  embed(text: string): Float32Array;
}

/** A deterministic embedder: equal texts and equal statistics give equal vectors on every machine. */
export function lexicalEmbedder(statistics: TermStatistics): LexicalEmbedder {
  assert(statistics.count > 0, "term statistics of at least one text");
  const frequency = new Map(Object.entries(statistics.documentFrequency));
  const weight = (term: string): number => Math.log(1 + statistics.count / (0.5 + (frequency.get(term) ?? 0)));
  return {
    weight,
    isKnown: (term) => frequency.has(term),
    embed(text) {
      const counts = new Map<string, number>();
      // A term the corpus never uses could only collide with one that it does.
      for (const term of terms(text)) if (frequency.has(term)) counts.set(term, (counts.get(term) ?? 0) + 1);
      const vector = new Float32Array(EMBED_DIMS);
      for (const [term, count] of counts) {
        const hash = hash32(term);
        const feature = hash % EMBED_DIMS;
        vector[feature] = (vector[feature] ?? 0) + (hash >= 0x80000000 ? -1 : 1) * (1 + Math.log(count)) * weight(term);
      }
      return vector;
    },
  };
}
