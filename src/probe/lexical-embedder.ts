import type { Vector } from "../core/measure/cosine.ts";
import { words } from "../core/measure/tokenizer.ts";
import type { Embedder } from "../ports/embedder.ts";
import { sha256 } from "./digest.ts";

/** Dimensions of words and of letter trigrams. Enough that signed collisions cancel out on sections of prose. */
const WORD_DIMS = 4096;
const GRAM_DIMS = 4096;
/** Share of the similarity that words decide; the rest is trigrams, which see inflected and compound forms. */
const WORD_SHARE = 0.6;
const GRAM = 3;

/** How rare each feature is among the fitted texts. */
interface Rarity {
  readonly texts: number;
  readonly holding: ReadonlyMap<string, number>;
}

/**
 * The judge that needs no network: words and letter trigrams, weighted by how rare they are in the texts it was fitted
 * on, hashed with signs into a fixed space. It compares wording, not meaning: a paraphrase without common words is far
 * from its section. Deterministic; its id names the fit.
 * @param texts the corpus or the anchors; the words of all of them weigh nothing when they are everywhere
 * @source tf-idf: G. Salton, C. Buckley, Information Processing & Management 24 (1988) 513-523; signed feature hashing:
 * K. Weinberger et al., ICML 2009
 */
export function lexicalJudge(texts: readonly string[]): Embedder {
  const distinct = [...new Set(texts)].sort();
  const [byWord, byGram] = [rarityOf(distinct, words), rarityOf(distinct, grams)];
  const fit = sha256(distinct.join("\u0000")).slice(0, 8);
  return {
    id: `lexical/1:${WORD_DIMS + GRAM_DIMS}d:fit-${fit}`,
    embed(batch, signal) {
      signal.throwIfAborted();
      return Promise.resolve(batch.map((text) => vectorOf(text, byWord, byGram)));
    },
  };
}

function rarityOf(texts: readonly string[], featuresOf: (text: string) => readonly string[]): Rarity {
  const holding = new Map<string, number>();
  for (const text of texts) {
    for (const feature of new Set(featuresOf(text))) holding.set(feature, (holding.get(feature) ?? 0) + 1);
  }
  return { texts: texts.length, holding };
}

function vectorOf(text: string, byWord: Rarity, byGram: Rarity): Vector {
  const vector = new Float64Array(WORD_DIMS + GRAM_DIMS);
  fill(vector.subarray(0, WORD_DIMS), words(text), byWord, WORD_SHARE);
  fill(vector.subarray(WORD_DIMS), grams(text), byGram, 1 - WORD_SHARE);
  return vector;
}

/** Adds features to a block of a vector and brings the block to the norm √share, so that blocks mix as intended. */
function fill(block: Float64Array, features: readonly string[], rarity: Rarity, share: number): void {
  const counts = new Map<string, number>();
  for (const feature of features) counts.set(feature, (counts.get(feature) ?? 0) + 1);
  for (const [feature, count] of counts) {
    const hash = fnv1a(feature);
    const sign = hash & 1 ? 1 : -1;
    const place = (hash >>> 1) % block.length;
    block[place] = (block[place] as number) + sign * (1 + Math.log(count)) * weightOf(feature, rarity);
  }
  const norm = Math.sqrt(block.reduce((sum, value) => sum + value * value, 0));
  if (norm > 0) for (let i = 0; i < block.length; i++) block[i] = ((block[i] as number) / norm) * Math.sqrt(share);
}

/** Rare features weigh most; one that the fitted texts do not have tells nothing about them and weighs nothing. */
function weightOf(feature: string, { texts, holding }: Rarity): number {
  const count = holding.get(feature) ?? 0;
  return count === 0 ? 0 : Math.log((texts + 1) / count);
}

function grams(text: string): readonly string[] {
  return words(text).flatMap((word) => {
    const letters = Array.from(` ${word} `);
    return letters.length <= GRAM
      ? [letters.join("")]
      : Array.from({ length: letters.length - GRAM + 1 }, (_, i) => letters.slice(i, i + GRAM).join(""));
  });
}

/** @source FNV-1a with 32 bits: G. Fowler, L. C. Noll, K.-P. Vo; over UTF-16 code units here */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 15;
  return (hash ^ (hash >>> 7)) >>> 0;
}
