import type { HarmedSegment } from "../../by-unit/segment-evidence.ts";
import type { UnitView } from "../../by-unit/unit-evidence.ts";
import { eBenjaminiHochberg } from "../../stats/multiple.ts";
import { percent } from "../traffic/traffic-verdict.ts";

/** Expected part of the named segments that are not harmed. */
const NAMED_FALSELY = 0.05;
/** Segments named in a sentence. */
const NAMED_MAX = 3;
/** How many times the rate of all requests a segment's has to be before the harm is said to be its own. */
const CONCENTRATED = 3;

/**
 * Discoveries among harmed segments by e-BH; the one that fails most is named first, for where the same users make two
 * of them, the narrower one is the cause. Weights are in the e-values already.
 */
export function namedSegments(harmed: readonly HarmedSegment[]): readonly HarmedSegment[] {
  const lnEValues = harmed.map(({ logE }) => logE + Math.log(harmed.length));
  const flags = eBenjaminiHochberg(lnEValues, NAMED_FALSELY);
  const excess = ({ difference: { rates } }: HarmedSegment): number => rates.candidate - rates.stable;
  return harmed.filter((_, index) => flags[index] === true).sort((a, b) => excess(b) - excess(a) || b.logE - a.logE);
}

/**
 * A reason, and the segment that the harm gathers in where it does: one that fails far more than all requests together.
 * Where everybody fails alike, no segment is to blame.
 */
export function inSegments(units: UnitView | null, reason: string): { reason: string; segment?: string } {
  const rate = units?.difference("failures")?.rates.candidate;
  if (units === null || rate === undefined) return { reason };
  const found = namedSegments(units.segments.harmed()).filter(
    ({ difference }) => difference.rates.candidate >= CONCENTRATED * rate,
  );
  const [worst] = found;
  if (worst === undefined) return { reason };
  return { reason: `${reason}; most of it in ${describeSegments(found)}`, segment: worst.label };
}

/** Segments as the part of a sentence. */
export function describeSegments(found: readonly HarmedSegment[]): string {
  const worst = found.slice(0, NAMED_MAX).map(({ label, difference: { rates }, units }) => {
    const rate = `${percent(rates.candidate)} against ${percent(rates.stable)} on stable`;
    return `${label} fails ${rate} (${units.candidate} and ${units.stable} users failed)`;
  });
  const more = found.length > NAMED_MAX ? ` and ${found.length - NAMED_MAX} more` : "";
  return worst.join("; ") + more;
}
