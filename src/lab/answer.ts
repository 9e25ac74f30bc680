import type { LexicalEmbedder } from "./lexical-embedder.ts";
import { overlapShare, type RankedChunk } from "./rerank.ts";
import { terms } from "./terms.ts";

/**
 * Refused when no returned chunk holds this share of the term weight of the question. Chosen on the gold set of the
 * handbook: its unanswerable questions reach 0.24 at most, its answerable ones 0.46 at least.
 */
const REFUSAL_OVERLAP = 0.3;

/** How many of the ranked chunks are read for an answer, and how many sentences it may have. */
const READ_CHUNKS = 3;
const SENTENCES = 2;

interface Citation {
  readonly doc: string;
  readonly section: string;
}

export interface Answer {
  readonly answer: string;
  readonly refused: boolean;
  /** Sections the sentences were taken from, the most telling first; empty when refused. */
  readonly citations: readonly Citation[];
}

const REFUSAL: Answer = { answer: "The corpus does not answer this question.", refused: true, citations: [] };

function sentences(text: string): readonly string[] {
  return text
    .split(/(?<=[.!?])\s+(?=[\p{Lu}\p{N}"'“(])|\n+/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== "");
}

/** The one or two sentences of the best chunks that hold most of the question, or a refusal. */
export function extractAnswer(question: string, ranked: readonly RankedChunk[], embedder: LexicalEmbedder): Answer {
  const asked = new Set(terms(question));
  const evidence = Math.max(0, ...ranked.map(({ overlap }) => overlap));
  if (evidence < REFUSAL_OVERLAP) return REFUSAL;
  const top = ranked[0]?.score ?? 0;
  const candidates = ranked.slice(0, READ_CHUNKS).flatMap(({ chunk, score }) =>
    sentences(chunk.text).map((text) => {
      const held = overlapShare(asked, new Set(terms(text)), embedder);
      return { text, chunk, weight: (held + 0.1) * (score / top) };
    }),
  );
  const chosen: (typeof candidates)[number][] = [];
  for (const candidate of candidates.sort((left, right) => right.weight - left.weight)) {
    // Overlapping windows repeat a sentence, sometimes cut at one end.
    const isRepeat = chosen.some(({ text }) => text.includes(candidate.text) || candidate.text.includes(text));
    if (!isRepeat && chosen.length < SENTENCES) chosen.push(candidate);
  }
  const cited = new Map(chosen.map(({ chunk: { doc, section } }) => [section, { doc, section }]));
  return { answer: chosen.map(({ text }) => text).join(" "), refused: false, citations: [...cited.values()] };
}
