import { coverageByOffsets, type SectionTokens } from "./coverage.ts";
import { type GoldSpan, type Passage, sectionKey } from "./gold.ts";
import {
  codePoints,
  sliceCodePoints,
  type TokenPlaces,
  tokenPlaces,
  type WordPlaces,
  wordPlaces,
} from "./tokenizer.ts";

/** Words in a row that must be the same for two texts to agree on them. @source definitions.md §4, level L2 */
const SHINGLE = 5;

/** A stretch of a section in code points. */
interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** What Markdown and HTML add to the words people read: link targets, the info string of a fence, tags, entities. */
const MARKUP = /\]\([^()\s]*(?:\s+"[^"]*")?\)|^[ \t]*(?:```|~~~).*$|<\/?[a-z!][^<>]*>|&(?:[a-z]+|#\d+);/gim;

/**
 * Words that stay the same when a text is re-wrapped, re-cased, or stripped of its markup; places in the given text.
 */
function plainWords(text: string): WordPlaces {
  return wordPlaces(text.replace(MARKUP, (markup) => " ".repeat(codePoints(markup))));
}

/** Where each run of `length` words begins, as places in the list of words. */
function shinglePlaces(words: readonly string[], length: number): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, number[]>();
  for (let first = 0; first + length <= words.length; first++) {
    const shingle = words.slice(first, first + length).join(" ");
    const known = places.get(shingle);
    if (known === undefined) places.set(shingle, [first]);
    else known.push(first);
  }
  return places;
}

/** A section that texts are aligned with. */
interface Section extends WordPlaces {
  readonly shingles: ReadonlyMap<string, readonly number[]>;
}

function shingledSection(text: string): Section {
  const places = plainWords(text);
  return { ...places, shingles: shinglePlaces(places.words, SHINGLE) };
}

/**
 * The stretches of a section that a text repeats: every place where five words in a row are the same. A text of fewer
 * words is looked for as a whole and found once, so that a stray word covers one place and not all of its kind.
 */
function align(section: Section, text: string): readonly Stretch[] {
  const { words } = plainWords(text);
  const length = Math.min(SHINGLE, words.length, section.words.length);
  if (length === 0) return [];
  const isShort = length < SHINGLE;
  const places = isShort ? shinglePlaces(section.words, length) : section.shingles;
  const firsts = new Set<number>();
  for (const shingle of shinglePlaces(words, length).keys()) {
    const found = places.get(shingle) ?? [];
    for (const first of isShort ? found.slice(0, 1) : found) firsts.add(first);
  }
  return joined(firsts, length, section);
}

/** Runs of words as stretches; each reaches over the punctuation and markup up to the next word. */
function joined(firsts: ReadonlySet<number>, length: number, { starts, length: end }: Section): readonly Stretch[] {
  const runs: { first: number; last: number }[] = [];
  for (const first of [...firsts].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run !== undefined && first <= run.last) run.last = Math.max(run.last, first + length);
    else runs.push({ first, last: first + length });
  }
  return runs.map(({ first, last }) => {
    return { start: first === 0 ? 0 : (starts[first] as number), end: starts[last] ?? end };
  });
}

/** Sections by their text, for answers that tell no offsets. Each section is cut into shingles once. */
export interface Alignment {
  readonly tokensOf: SectionTokens;
  /** Stretches of the section of this key that a text repeats; none for a section nobody knows. */
  stretchesOf(key: string, text: string): readonly Stretch[];
}

/** A section of which no word was ever seen still counts: as one token that nothing covers. */
const UNSEEN: TokenPlaces = { starts: [0], ends: [1], length: 1 };

/** @param textOf text of a section; empty when it exists and nobody saw it, undefined when nobody knows it */
export function alignTo(textOf: (key: string) => string | undefined): Alignment {
  const sections = new Map<string, { readonly section: Section; readonly tokens: TokenPlaces } | null>();
  const known = (key: string) => {
    const cached = sections.get(key);
    if (cached !== undefined) return cached;
    const text = textOf(key);
    const tokens = text === "" ? UNSEEN : tokenPlaces(text ?? "");
    const fresh = text === undefined ? null : { section: shingledSection(text), tokens };
    sections.set(key, fresh);
    return fresh;
  };
  return {
    tokensOf: (key) => known(key)?.tokens,
    stretchesOf(key, text) {
      const section = known(key)?.section;
      return section === undefined ? [] : align(section, text);
    },
  };
}

/**
 * Coverage of one run at level L2: the returned texts are found again in their sections by shingles of five words, and
 * the stretches found count as offsets do at level L1. The section a passage claims to be from must be a gold one: text
 * under a wrong name is no evidence. Offsets of the passages are not looked at.
 * @returns 0..1; null when no gold token is known
 * @source definitions.md §4
 */
export function coverageByText(
  gold: readonly GoldSpan[],
  passages: readonly Passage[],
  { tokensOf, stretchesOf }: Alignment,
  contextTokens = Number.POSITIVE_INFINITY,
): number | null {
  const wanted = new Set(gold.map(sectionKey));
  const placed = passages
    .filter((passage) => wanted.has(sectionKey(passage)))
    .flatMap((passage) =>
      stretchesOf(sectionKey(passage), passage.text).map((stretch) => ({ ...passage, ...stretch })),
    );
  return coverageByOffsets(gold, placed, tokensOf, contextTokens);
}

/**
 * One text that holds everything a set of overlapping texts holds, each stretch once: longest text first, then what the
 * others add in stretches of five words at least. The order of the given texts does not matter.
 */
export function joinOverlapping(texts: readonly string[]): string {
  const longestFirst = [...new Set(texts)].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  return longestFirst.reduce((whole, text) => {
    const added = whole === "" ? [text] : gapsOf(text, align(shingledSection(text), whole));
    return [whole, ...added].filter((part) => part !== "").join("\n");
  }, "");
}

function gapsOf(text: string, stretches: readonly Stretch[]): readonly string[] {
  const edges = [0, ...stretches.flatMap(({ start, end }) => [start, end]), codePoints(text)];
  const gaps = edges.flatMap((edge, index) => (index % 2 === 0 ? [[edge, edges[index + 1] ?? edge] as const] : []));
  return gaps
    .map(([start, end]) => sliceCodePoints(text, start, end))
    .filter((gap) => plainWords(gap).words.length >= SHINGLE);
}
