import type { SectionRef } from "../../core/measure/gold.ts";
import { codePoints } from "../../core/measure/tokenizer.ts";
import type { CorpusSection } from "../corpus.ts";

/** A section, or why there is none: as the end of a sentence that begins with what was looked for. */
type Found = { readonly ref: SectionRef; readonly start: number } | { readonly reason: string };

/** Finds the sections that sources of questions speak of under names or texts of their own. */
export interface SectionFinder {
  /** Whether there is a corpus to look in; without one every id is taken at its word. */
  readonly isWhole: boolean;
  /** By an id as rankings have it; `start` is 0. */
  byId(id: string): Found;
  /** The one section that holds a text, blanks around it aside; `start` is where the text begins, in code points. */
  byText(text: string): Found;
}

/**
 * @param corpus null: an id is taken at its word, as the section itself, whose document stands before the first "#";
 *   and no text can be found
 */
export function findSections(corpus: readonly CorpusSection[] | null): SectionFinder {
  if (corpus === null) {
    return {
      isWhole: false,
      byId: (id) => ({ ref: { doc: id.split("#")[0] || id, section: id }, start: 0 }),
      byText: () => ({ reason: "can only be found in a corpus: give --corpus" }),
    };
  }
  const [bySection, byDoc] = [groupBy(corpus, ({ section }) => section), groupBy(corpus, ({ doc }) => doc)];
  const byText = groupBy(corpus, ({ text }) => text.trim());
  return {
    isWhole: true,
    byId(id) {
      const named = bySection.get(id) ?? byDoc.get(id) ?? [];
      return onlyOne(
        named.map((section) => ({ section, offset: 0 })),
        "is the id of",
      );
    },
    byText(text) {
      const wanted = text.trim();
      const holding = byText.get(wanted) ?? corpus.filter((section) => section.text.includes(wanted));
      const blanks = text.length - text.trimStart().length;
      return onlyOne(
        holding.map((section) => ({ section, offset: section.text.indexOf(wanted) })),
        "stands in",
        blanks,
      );
    },
  };
}

interface Match {
  readonly section: CorpusSection;
  /** In UTF-16 units of its text. */
  readonly offset: number;
}

function onlyOne(matches: readonly Match[], verb: string, blanks = 0): Found {
  const [match] = matches;
  if (match === undefined) return { reason: `${verb} no section of the corpus` };
  if (matches.length > 1) return { reason: `${verb} ${matches.length} sections of the corpus, so none can be chosen` };
  const { doc, section, text } = match.section;
  return { ref: { doc, section }, start: codePoints(text.slice(0, match.offset)) - blanks };
}

function groupBy(
  corpus: readonly CorpusSection[],
  keyOf: (section: CorpusSection) => string,
): ReadonlyMap<string, readonly CorpusSection[]> {
  const groups = new Map<string, CorpusSection[]>();
  for (const section of corpus) {
    const group = groups.get(keyOf(section));
    if (group === undefined) groups.set(keyOf(section), [section]);
    else group.push(section);
  }
  return groups;
}
