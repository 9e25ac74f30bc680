import { type Calibration, calibrate, notCalibratable } from "../core/measure/calibration.ts";
import { mean } from "../core/measure/aggregate.ts";
import { type GoldItem, type SectionRef, sectionKey } from "../core/measure/gold.ts";
import { randomStream } from "../core/stats/random.ts";
import type { Anchors } from "./anchors.ts";
import { seedOf } from "./digest.ts";
import type { Distances, Judge } from "./judge.ts";

/** Least share of the gold sections that stable's answers must show when there is no corpus. @source contracts.md */
const SHOWN_MIN = 0.6;

/** Questions embedded together: few enough to be remembered, enough to fill batches. */
const ITEMS_AT_ONCE = 16;

/**
 * The decoy of each answerable item: its own, or one drawn from the gold sections of other topics whose text is known
 * (of the same topic when there is only one). Items for which there is none are left out. A draw depends on the seed
 * and the item's id alone.
 */
export function chooseDecoys(
  items: readonly GoldItem[],
  anchors: Anchors,
  seed: number,
): ReadonlyMap<string, SectionRef> {
  const sections = new Map<string, { readonly ref: SectionRef; readonly topics: Set<string> }>();
  for (const { topic, gold } of items) {
    for (const { doc, section } of gold) {
      const key = sectionKey({ doc, section });
      if (anchors.text(key) === null) continue;
      const known = sections.get(key) ?? { ref: { doc, section }, topics: new Set<string>() };
      known.topics.add(topic);
      sections.set(key, known);
    }
  }
  const pool = [...sections].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, section]) => section);
  const decoys = new Map<string, SectionRef>();
  for (const item of items.filter(({ answerable }) => answerable)) {
    const own = new Set(item.gold.map(sectionKey));
    const others = pool.filter(({ ref }) => !own.has(sectionKey(ref)));
    const foreign = others.filter(({ topics }) => !topics.has(item.topic));
    const choices = foreign.length > 0 ? foreign : others;
    const draw = Math.floor(randomStream(seedOf(`${seed}/${item.id}`))() * choices.length);
    const decoy = item.decoy ?? choices[draw]?.ref;
    if (decoy !== undefined) decoys.set(item.id, decoy);
  }
  return decoys;
}

/**
 * Calibrates a judge on a gold set: raw distances of each question (its phrasings averaged) to its closest gold
 * section and to its decoy. Items of which either text is unknown are left out.
 * Anchors that come from answers must show 60 % of the gold sections.
 * @source definitions.md §3
 */
export async function calibrateJudge(
  items: readonly GoldItem[],
  anchors: Anchors,
  decoys: ReadonlyMap<string, SectionRef>,
  judge: Judge,
  signal: AbortSignal,
): Promise<Calibration> {
  const shown = shownShare(items, anchors);
  if (!anchors.isWhole && shown < SHOWN_MIN) {
    return notCalibratable(
      `the answers show ${Math.round(shown * 100)} % of the gold sections, at least ${SHOWN_MIN * 100} % are needed; give the corpus`,
    );
  }
  const usable = items.flatMap((item) => {
    const decoy = decoys.get(item.id);
    const decoyText = decoy === undefined ? null : anchors.text(sectionKey(decoy));
    const goldTexts = item.gold.flatMap((span) => anchors.text(sectionKey(span)) ?? []);
    return decoyText === null || goldTexts.length === 0 ? [] : [{ phrasings: item.phrasings, goldTexts, decoyText }];
  });
  const [gold, decoy]: [number[], number[]] = [[], []];
  for (let from = 0; from < usable.length; from += ITEMS_AT_ONCE) {
    const group = usable.slice(from, from + ITEMS_AT_ONCE);
    const texts = group.flatMap(({ phrasings, goldTexts, decoyText }) => [...phrasings, ...goldTexts, decoyText]);
    const distances = await judge.prepare(texts, signal);
    for (const { phrasings, goldTexts, decoyText } of group) {
      gold.push(mean(phrasings.map((phrasing) => closest(distances, phrasing, goldTexts))));
      decoy.push(mean(phrasings.map((phrasing) => closest(distances, phrasing, [decoyText]))));
    }
  }
  return calibrate(gold, decoy);
}

function closest(distances: Distances, phrasing: string, texts: readonly string[]): number {
  return Math.min(...texts.map((text) => distances.between(phrasing, text).value));
}

function shownShare(items: readonly GoldItem[], anchors: Anchors): number {
  const keys = new Set(items.flatMap(({ gold }) => gold.map(sectionKey)));
  return keys.size === 0 ? 0 : [...keys].filter((key) => anchors.text(key) !== null).length / keys.size;
}
