import { coverageByOffsets } from "../core/measure/coverage.ts";
import { type GoldItem, type GoldSpan, sectionKey } from "../core/measure/gold.ts";
import type { Anchors } from "./anchors.ts";
import { sha256 } from "./digest.ts";

/**
 * Items whose source is no longer what the gold was written for: another revision, or with a corpus a missing section
 * or a span without text. They are reported and not asked, because no arm could answer them.
 * @source definitions.md §2
 */
export function invalidItems(items: readonly GoldItem[], anchors: Anchors): ReadonlySet<string> {
  const isInvalid = ({ answerable, gold }: GoldItem): boolean => {
    if (!answerable) return false;
    if (gold.some((span) => isOutdated(span, anchors))) return true;
    if (!anchors.isWhole) return false;
    const isMissing = gold.some((span) => anchors.tokens(sectionKey(span)) === undefined);
    return isMissing || coverageByOffsets(gold, [], anchors.tokens) === null;
  };
  return new Set(items.filter(isInvalid).map(({ id }) => id));
}

/** A revision `sha256:…` is compared with the text itself where the source states no revision. */
function isOutdated(span: GoldSpan, anchors: Anchors): boolean {
  if (span.rev === null) return false;
  const key = sectionKey(span);
  const known = anchors.revisions(key);
  if (known.size > 0) return !known.has(span.rev);
  const text = anchors.text(key);
  return text !== null && anchors.isWhole && span.rev.startsWith("sha256:") && span.rev !== `sha256:${sha256(text)}`;
}
