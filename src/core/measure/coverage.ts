import { type GoldSpan, isSameRevision, type Passage, sectionKey } from "./gold.ts";
import type { TokenPlaces } from "./tokenizer.ts";

/** Version of the metric. @source definitions.md, head */
export const COVERAGE = "coverage/1";

/** Tokens of a section by its key; undefined for a section nobody knows. */
export type SectionTokens = (key: string) => TokenPlaces | undefined;

interface Marked {
  readonly gold: Uint8Array;
  readonly retrieved: Uint8Array;
}

/**
 * Coverage of one run at level L1: the share of gold tokens inside the union of the retrieved stretches, so that
 * overlapping chunks count once. A token belongs to a stretch when they share a code point. Passages without offsets
 * cover nothing at this level.
 * @param contextTokens the context budget B; gold longer than it counts as B tokens, else a full share is unreachable
 * @returns 0..1; null when no gold token is known, which makes the item invalid and not the answer wrong
 * @source definitions.md §4
 */
export function coverageByOffsets(
  gold: readonly GoldSpan[],
  passages: readonly Passage[],
  tokensOf: SectionTokens,
  contextTokens = Number.POSITIVE_INFINITY,
): number | null {
  const sections = new Map<string, Marked>();
  for (const span of gold) {
    const tokens = tokensOf(sectionKey(span));
    if (tokens === undefined) continue;
    const marked = markedOf(sections, sectionKey(span), tokens);
    mark(marked.gold, tokens, span.start ?? 0, span.end ?? tokens.length);
    for (const { start, end, ...passage } of passages) {
      if (start === null || end === null || sectionKey(passage) !== sectionKey(span)) continue;
      if (isSameRevision(span.rev, passage.rev)) mark(marked.retrieved, tokens, start, end);
    }
  }
  let [wanted, found] = [0, 0];
  for (const marked of sections.values()) {
    wanted += marked.gold.reduce((sum, flag) => sum + flag, 0);
    found += marked.gold.reduce((sum, flag, token) => sum + (flag & (marked.retrieved[token] as number)), 0);
  }
  return wanted === 0 ? null : Math.min(1, found / Math.min(wanted, contextTokens));
}

function markedOf(sections: Map<string, Marked>, key: string, tokens: TokenPlaces): Marked {
  const known = sections.get(key);
  if (known !== undefined) return known;
  const fresh = { gold: new Uint8Array(tokens.starts.length), retrieved: new Uint8Array(tokens.starts.length) };
  sections.set(key, fresh);
  return fresh;
}

/** Marks the tokens that share a code point with [start, end). */
function mark(flags: Uint8Array, { starts, ends }: TokenPlaces, start: number, end: number): void {
  for (let token = firstEndingAfter(ends, start); token < starts.length; token++) {
    if ((starts[token] as number) >= end) return;
    flags[token] = 1;
  }
}

function firstEndingAfter(ends: readonly number[], start: number): number {
  let [from, to] = [0, ends.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((ends[middle] as number) > start) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** Least questions a topic needs to be judged by itself. @source definitions.md §4 */
export const TOPIC_MIN = 10;

/** Name under which topics that are too small are judged together; gold sets may not use it. */
export const POOLED = "pooled";

/**
 * Under which topic each question is judged: its own, or the pool when its topic has fewer than 10 questions. A pool
 * that is too small itself is judged with the whole set only (null).
 * @param topics one for each question that has gold, answered or not: what is judged is settled by the gold set, so
 * that both arms have the same topics and lost runs take no topic out of sight
 */
export function judgedTopics(topics: readonly string[]): {
  readonly byQuestion: readonly (string | null)[];
  readonly pooled: readonly string[];
} {
  const counts = new Map<string, number>();
  for (const topic of topics) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  const isSmall = (topic: string): boolean => (counts.get(topic) ?? 0) < TOPIC_MIN;
  const poolSize = topics.filter(isSmall).length;
  const pool = poolSize < TOPIC_MIN ? null : POOLED;
  return {
    byQuestion: topics.map((topic) => (isSmall(topic) ? pool : topic)),
    pooled: [...counts.keys()].filter(isSmall).sort(),
  };
}
