import { didYouMean } from "../core/did-you-mean.ts";
import { TOPIC_MIN } from "../core/measure/coverage.ts";
import { type GoldItem, type GoldSpan, sectionKey } from "../core/measure/gold.ts";
import { codePoints, sliceCodePoints, wordJaccard } from "../core/measure/tokenizer.ts";
import type { Problem } from "../core/problem.ts";
import type { CorpusSection } from "./corpus.ts";
import type { GoldSet } from "./gold-set.ts";

/** Limits of the token Jaccard of a phrasing with the canonical one. @source definitions.md §2 */
const JACCARD_LOW = 0.2;
const JACCARD_HIGH = 0.8;

/** Questions of a whole set. @source definitions.md §2 (GQ-30) */
const QUESTIONS_LEAST = 50;
const QUESTIONS_MOST = 200;

/** What a lint found. Errors make a set unusable; warnings say where it is weak. */
export interface GoldLint {
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
  readonly counts: {
    readonly items: number;
    readonly answerable: number;
    /** Share of items whose right answer is a refusal. */
    readonly unanswerableShare: number;
    readonly topics: Readonly<Record<string, number>>;
    /** Topics with fewer than 10 items; they are judged together. */
    readonly pooledTopics: readonly string[];
  };
}

interface Finding {
  readonly severity: "error" | "warning";
  readonly code: string;
  readonly path: string;
  readonly message: string;
  readonly fix?: string;
}

/** Lints a gold set, against its corpus when there is one. Shape problems were reported by the reader already. */
export function lintGoldSet(gold: GoldSet, corpus: readonly CorpusSection[] | null): GoldLint {
  const sections = corpus === null ? null : new Map(corpus.map((section) => [sectionKey(section), section]));
  const placed = gold.items.flatMap((item, index) => {
    const at = gold.positions[index];
    return [...lintPhrasings(item), ...(sections === null ? [] : lintSections(item, sections))].map((finding) => {
      const { severity, ...problem } = finding;
      return { severity, problem: at === undefined ? problem : { ...problem, at } };
    });
  });
  const counts = countsOf(gold.items);
  const pick = (severity: Finding["severity"]) => {
    return placed.filter((finding) => finding.severity === severity).map(({ problem }) => problem);
  };
  return {
    errors: pick("error"),
    warnings: [...pick("warning"), ...lintTopics(counts, gold.items), ...lintSize(counts)],
    counts,
  };
}

function countsOf(items: readonly GoldItem[]): GoldLint["counts"] {
  const topics: Record<string, number> = {};
  for (const { topic } of items) topics[topic] = (topics[topic] ?? 0) + 1;
  const answerable = items.filter((item) => item.answerable).length;
  // As the coverage gate counts: a topic is judged by its answerable questions.
  const pooledTopics = Object.keys(topics)
    .filter((topic) => askedOf(items, topic) > 0 && askedOf(items, topic) < TOPIC_MIN)
    .sort();
  return { items: items.length, answerable, unanswerableShare: 1 - answerable / items.length, topics, pooledTopics };
}

function lintSize({ items }: GoldLint["counts"]): readonly Problem[] {
  if (items >= QUESTIONS_LEAST && items <= QUESTIONS_MOST) return [];
  const [found, fix] =
    items < QUESTIONS_LEAST
      ? ["fewer", `add ${QUESTIONS_LEAST - items} questions: so few hardly show a loss`]
      : ["more", "leave out questions that ask the same: each is asked six times of both arms on each deploy"];
  const message = `the set has ${items} questions, ${found} than the ${QUESTIONS_LEAST} to ${QUESTIONS_MOST} of a whole set`;
  return [{ code: "E218", path: "", message, fix }];
}

function askedOf(items: readonly GoldItem[], topic: string): number {
  return items.filter((item) => item.answerable && item.topic === topic).length;
}

/** One warning for all small topics: twelve of them are one fact about the set. */
function lintTopics({ pooledTopics }: GoldLint["counts"], items: readonly GoldItem[]): readonly Problem[] {
  if (pooledTopics.length === 0) return [];
  const isOne = pooledTopics.length === 1;
  const listed = pooledTopics.map((topic) => `${topic} ${askedOf(items, topic)}`).join(", ");
  const message = `${isOne ? "a topic has" : `${pooledTopics.length} topics have`} fewer than ${TOPIC_MIN} questions with an answer and ${isOne ? "is" : "are"} judged together with other small ones: ${listed}`;
  return [{ code: "E217", path: "", message, fix: `${TOPIC_MIN} questions in a topic judge it by itself` }];
}

function lintPhrasings(item: GoldItem): readonly Finding[] {
  const [canonical = "", ...others] = item.phrasings;
  return others.flatMap((phrasing, index) => {
    const path = `${item.id}.phrasings[${index + 1}]`;
    return [...lintLikeness(canonical, phrasing, path), ...lintFacts(canonical, phrasing, path)];
  });
}

function lintLikeness(canonical: string, phrasing: string, path: string): readonly Finding[] {
  const likeness = wordJaccard(canonical, phrasing);
  if (likeness >= JACCARD_LOW && likeness <= JACCARD_HIGH) return [];
  const [found, fix] =
    likeness > JACCARD_HIGH
      ? ["hardly differs from", "say it in other words: case and punctuation test nothing"]
      : ["has hardly a word in common with", "keep to the question: it may ask something else"];
  const message = `the phrasing "${shortened(phrasing)}" ${found} the canonical one (word Jaccard ${likeness.toFixed(2)}, expected ${JACCARD_LOW}..${JACCARD_HIGH})`;
  return [{ severity: "warning", code: "E211", path, message, fix }];
}

/** Enough of a phrasing to find it in the file. */
function shortened(phrasing: string): string {
  return phrasing.length <= 60 ? phrasing : `${sliceCodePoints(phrasing, 0, 59)}…`;
}

function lintFacts(canonical: string, phrasing: string, path: string): readonly Finding[] {
  const differing = (kind: string, left: readonly string[], right: readonly string[]): readonly Finding[] => {
    const missing = left.filter((fact) => !right.includes(fact));
    const added = right.filter((fact) => !left.includes(fact));
    if (missing.length + added.length === 0) return [];
    const parts = [
      ...missing.map((fact) => `"${fact}" is missing`),
      ...added.map((fact) => `"${fact}" is not in the canonical one`),
    ];
    return [
      {
        severity: "warning",
        code: "E212",
        path,
        message: `"${shortened(phrasing)}" has other ${kind} than the canonical phrasing: ${parts.join(", ")}`,
      },
    ];
  };
  return [
    ...differing("numbers", numbers(canonical), numbers(phrasing)),
    ...differing("names", names(canonical, phrasing), names(phrasing, canonical)),
  ];
}

function numbers(text: string): readonly string[] {
  return [...new Set(text.match(/\p{N}+(?:[.,:]\p{N}+)*/gu) ?? [])].sort();
}

/**
 * Words that look like names: a capital inside a sentence, or capitals and digits inside a word. A word that the other
 * phrasing has in any case is no difference, because the first word of a sentence tells nothing.
 */
function names(text: string, other: string): readonly string[] {
  const inner = text.replace(/(^|[.!?]\s+)\P{L}*\p{L}+/gu, "$1");
  const found = inner.match(/[\p{L}\p{N}][\p{L}\p{N}_-]*/gu) ?? [];
  const looksLikeName = (word: string) => /^\p{Lu}/u.test(word) && word.length > 1;
  const elsewhere = new Set((other.match(/[\p{L}\p{N}][\p{L}\p{N}_-]*/gu) ?? []).map((word) => word.toLowerCase()));
  return [...new Set(found.filter((word) => looksLikeName(word) && !elsewhere.has(word.toLowerCase())))].sort();
}

function lintSections(item: GoldItem, sections: ReadonlyMap<string, CorpusSection>): readonly Finding[] {
  const spans = item.gold.flatMap((span, index) => lintSpan(item, span, index, sections));
  if (item.decoy === null || sections.has(sectionKey(item.decoy))) return spans;
  const message = `the decoy ${item.decoy.doc} / ${item.decoy.section} is not in the corpus`;
  return [...spans, { severity: "error", code: "E213", path: `${item.id}.decoy`, message }];
}

const NAMES_SHOWN = 5;

/** A section that is not there, beside those that are: the spelling of ids is what most often differs. */
function absent(
  { doc, section }: GoldSpan,
  sections: ReadonlyMap<string, CorpusSection>,
): { readonly message: string; readonly fix: string } {
  const all = [...sections.values()];
  const beside = all.filter((one) => one.doc === doc).map((one) => one.section);
  const known = beside.length > 0 ? beside : [...new Set(all.map((one) => one.doc))];
  const listed = known.slice(0, NAMES_SHOWN).join(", ") + (known.length > NAMES_SHOWN ? ", …" : "");
  const near = didYouMean(beside.length > 0 ? section : doc, known);
  const has = beside.length > 0 ? `${doc} has ${listed}` : `it has the docs ${listed}`;
  return {
    message: `section ${doc} / ${section} is not in the corpus; ${near === null ? has : `did you mean "${near}"?`}`,
    fix: "name it as the corpus does: a Markdown section is its file without the ending, #, and its heading as a slug",
  };
}

function lintSpan(
  item: GoldItem,
  span: GoldSpan,
  index: number,
  sections: ReadonlyMap<string, CorpusSection>,
): readonly Finding[] {
  const path = `${item.id}.gold[${index}]`;
  const error = (code: string, message: string): readonly Finding[] => [{ severity: "error", code, path, message }];
  const section = sections.get(sectionKey(span));
  if (section === undefined) return [{ severity: "error", code: "E213", path, ...absent(span, sections) }];
  const length = codePoints(section.text);
  const [start, end] = [span.start ?? 0, span.end ?? length];
  if (end > length) {
    return error("E214", `the span ends at ${end}, but section ${span.section} has ${length} code points`);
  }
  if (sliceCodePoints(section.text, start, end).trim() === "") return error("E215", "the span holds no text");
  if (span.rev !== null && section.rev !== undefined && span.rev !== section.rev) {
    const message = `written for revision ${span.rev}, the corpus has ${section.rev}: the item is invalid and left out`;
    return [{ severity: "warning", code: "E216", path, message }];
  }
  return [];
}
