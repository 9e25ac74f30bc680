import type { Section } from "../probe/markdown.ts";
import { seeded } from "./seeded.ts";

/** Topic of a section: the folder its document stands in, or the document itself where there are no folders. */
function topicOf({ doc }: Section): string {
  const slash = doc.indexOf("/");
  return slash < 0 ? doc : doc.slice(0, slash);
}

const TOPICS_HIT = 2;

/**
 * The corpus without `share` of the sections (at least one each) of the two topics that have the most.
 * Which sections go is drawn by the seed; the order of the rest stays.
 */
export function dropSections(sections: readonly Section[], share: number, seed: number): readonly Section[] {
  const byTopic = new Map<string, Section[]>();
  for (const section of sections) {
    const topic = topicOf(section);
    byTopic.set(topic, [...(byTopic.get(topic) ?? []), section]);
  }
  const largest = [...byTopic].sort(([left, a], [right, b]) => b.length - a.length || (left < right ? -1 : 1));
  const random = seeded(seed, "dropped-sections");
  const dropped = new Set(
    largest.slice(0, TOPICS_HIT).flatMap(([, members]) => {
      const count = share === 0 ? 0 : Math.max(1, Math.round(share * members.length));
      return random.shuffle(members).slice(0, count);
    }),
  );
  return sections.filter((section) => !dropped.has(section));
}

/** Another section's identity for every section: one cycle in seeded order, so that none keeps its own. */
export function swapIds(
  sections: readonly Section[],
  seed: number,
): ReadonlyMap<string, Pick<Section, "doc" | "section">> {
  const order = seeded(seed, "swapped-ids").shuffle(sections);
  return new Map(
    order.map(({ section }, place) => {
      const other = order[(place + 1) % order.length] as Section;
      return [section, { doc: other.doc, section: other.section }];
    }),
  );
}
