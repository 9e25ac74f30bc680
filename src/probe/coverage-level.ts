import { type GoldItem, type Passage, sectionKey } from "../core/measure/gold.ts";
import type { CoverageLevel } from "../core/measure/report.ts";
import type { Anchors } from "./anchors.ts";

/**
 * The finest level at which all answers of both arms can be measured, because levels are never mixed inside one
 * comparison: offsets on every passage (L1), text on every passage with gold that can be found in text (L2), section
 * ids (L3). Gold by offsets can be found in a whole section only; of gold sections without text, one at least was
 * shown.
 * @param passages what the arms returned, all of it
 * @source definitions.md §4
 */
export function coverageLevel(
  items: readonly GoldItem[],
  passages: readonly Passage[],
  anchors: Anchors,
): CoverageLevel {
  if (passages.every(({ start, end }) => start !== null && end !== null)) return "L1";
  if (passages.some(({ text }) => text.trim() === "")) return "L3";
  const gold = items.flatMap((item) => item.gold);
  const texts = new Map(gold.map((span) => [sectionKey(span), anchors.alignedText(sectionKey(span))]));
  const isKnown = anchors.isWhole
    ? [...texts.values()].every((text) => text !== undefined)
    : gold.every(({ start }) => start === null) &&
      [...texts.values()].some((text) => text !== undefined && text !== "");
  return isKnown ? "L2" : "L3";
}
