import { type Passage, sectionKey } from "../core/measure/gold.ts";
import { joinOverlapping } from "../core/measure/shingle-coverage.ts";
import { codePoints, sliceCodePoints, type TokenPlaces, tokenPlaces } from "../core/measure/tokenizer.ts";
import type { CorpusSection } from "./corpus.ts";

/** What is known of the sections that gold points at. */
export interface Anchors {
  /** True when texts are whole sections, as a corpus has them; false when they are what answers showed. */
  readonly isWhole: boolean;
  /** Text of a section, for the judge; null when it is not known. */
  text(key: string): string | null;
  /** Where its tokens stand, for coverage; undefined when nothing of it is known. */
  tokens(key: string): TokenPlaces | undefined;
  /**
   * Text to find answers without offsets in, the same for both arms: empty for a section that no answer showed,
   * undefined for one that a corpus does not have.
   */
  alignedText(key: string): string | undefined;
  /** Revisions under which it is known; empty when none was stated. */
  revisions(key: string): ReadonlySet<string>;
}

/** Anchors of a corpus: the whole text of every section. */
export function corpusAnchors(corpus: readonly CorpusSection[]): Anchors {
  const sections = new Map(corpus.map((section) => [sectionKey(section), section]));
  const places = new Map<string, TokenPlaces>();
  return {
    isWhole: true,
    text: (key) => sections.get(key)?.text ?? null,
    tokens(key) {
      const section = sections.get(key);
      if (section === undefined) return undefined;
      const known = places.get(key) ?? tokenPlaces(section.text);
      places.set(key, known);
      return known;
    },
    alignedText: (key) => sections.get(key)?.text,
    revisions: (key) => new Set(sections.get(key)?.rev ?? []),
  };
}

/** Most tokens made up for stretches that no answer showed, so that an absurd offset costs nothing. */
const UNSEEN_TOKENS_MAX = 100_000;

/**
 * Anchors without a corpus: what the answers themselves show. Texts and revisions come from the reference arm alone;
 * tokens from both arms, so that both are measured against the same stretch. A stretch that no answer showed counts
 * with the section's own tokens a code point, and a section that no answer showed counts as one token.
 * @source contracts.md "sluice probe", without `--corpus`
 */
export function answerAnchors(reference: readonly Passage[], all: readonly Passage[]): Anchors {
  const [byReference, byBoth] = [groupBySection(reference), groupBySection([...reference, ...all])];
  const places = new Map<string, TokenPlaces>();
  return {
    isWhole: false,
    text(key) {
      const passages = byReference.get(key);
      if (passages === undefined) return null;
      const texts = stitch(passages).map(({ text }) => text);
      return texts.length === 0 ? [...new Set(passages.map(({ text }) => text))].join("\n") : texts.join("\n");
    },
    tokens(key) {
      const known = places.get(key) ?? stitchedTokens(stitch(byBoth.get(key) ?? []));
      places.set(key, known);
      return known;
    },
    alignedText: (key) => joinOverlapping((byBoth.get(key) ?? []).map(({ text }) => text)),
    revisions: (key) => new Set((byReference.get(key) ?? []).flatMap(({ rev }) => rev ?? [])),
  };
}

function groupBySection(passages: readonly Passage[]): ReadonlyMap<string, readonly Passage[]> {
  const groups = new Map<string, Set<Passage>>();
  for (const passage of passages) {
    const key = sectionKey(passage);
    const group = groups.get(key) ?? new Set<Passage>();
    groups.set(key, group.add(passage));
  }
  return new Map([...groups].map(([key, group]) => [key, [...group]]));
}

interface Stretch {
  readonly start: number;
  readonly text: string;
}

/** Joins passages with offsets into stretches of known text that do not touch. */
function stitch(passages: readonly Passage[]): readonly Stretch[] {
  const placed = passages
    .flatMap(({ start, end, text }) => (start === null || end === null ? [] : [{ start, end, text }]))
    .sort((a, b) => a.start - b.start || b.end - a.end);
  const stretches: { start: number; text: string; end: number }[] = [];
  for (const { start, end, text } of placed) {
    const last = stretches.at(-1);
    if (last === undefined || start > last.end) {
      stretches.push({ start, end, text: sliceCodePoints(text, 0, end - start) });
    } else if (end > last.end) {
      last.text += sliceCodePoints(text, last.end - start, end - start);
      last.end = end;
    }
  }
  return stretches;
}

function stitchedTokens(stretches: readonly Stretch[]): TokenPlaces {
  const known = stretches.map(({ start, text }) => ({ start, places: tokenPlaces(text) }));
  const tokens = known.reduce((sum, { places }) => sum + places.starts.length, 0);
  if (tokens === 0) return { starts: [0], ends: [1], length: 1 };
  const points = stretches.reduce((sum, { text }) => sum + codePoints(text), 0);
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 0;
  for (const { start, places } of known) {
    const unseen = Math.min(UNSEEN_TOKENS_MAX - starts.length, Math.round(((start - at) * tokens) / points));
    for (let i = 0; i < unseen; i++) {
      starts.push(at + (i * (start - at)) / unseen);
      ends.push(at + ((i + 1) * (start - at)) / unseen);
    }
    for (let i = 0; i < places.starts.length; i++) {
      starts.push(start + (places.starts[i] as number));
      ends.push(start + (places.ends[i] as number));
    }
    at = start + places.length;
  }
  return { starts, ends, length: at };
}
