/** A section of the source documents. `section` need only be unique within its document. */
export interface SectionRef {
  readonly doc: string;
  readonly section: string;
}

/** Where an answer stands: a stretch of a section in code points, or the whole section when start and end are null. */
export interface GoldSpan extends SectionRef {
  readonly start: number | null;
  readonly end: number | null;
  /** Revision of the source the span was written for; null accepts every revision. */
  readonly rev: string | null;
}

/** A text that an answer must say, or several of which it must say one. */
export type Claim = string | readonly string[];

/**
 * One question of a gold set.
 * @source definitions.md §2
 */
export interface GoldItem {
  readonly id: string;
  readonly topic: string;
  /** Three; the first is canonical. */
  readonly phrasings: readonly string[];
  /** False: the right answer is a refusal, and `gold` is empty. */
  readonly answerable: boolean;
  readonly gold: readonly GoldSpan[];
  /** What a right answer says: all of them, and of a list of alternatives any one. */
  readonly claims: readonly Claim[];
  /** A section that does not answer; null lets the runner draw one from another topic. */
  readonly decoy: SectionRef | null;
}

/** A chunk as a service returned it. Offsets are code points within the section; null when the service tells none. */
export interface Passage extends SectionRef {
  readonly rev: string | null;
  readonly start: number | null;
  readonly end: number | null;
  readonly text: string;
}

/** What a service answered, best passage first. */
export interface ProbeAnswer {
  readonly answer: string;
  readonly refused: boolean;
  readonly retrieved: readonly Passage[];
  readonly citations: readonly SectionRef[];
}

/** One text for a section, to compare and to count by. */
export function sectionKey({ doc, section }: SectionRef): string {
  return `${doc}\u0000${section}`;
}

/** Whether two revisions may be the same: one that was not stated contradicts nothing. */
export function isSameRevision(left: string | null, right: string | null): boolean {
  return left === null || right === null || left === right;
}

/** Whether a passage holds gold: the same section and revision and, where both have offsets, a common stretch. */
export function isEvidence(passage: Passage, gold: readonly GoldSpan[]): boolean {
  return gold.some((span) => {
    if (sectionKey(span) !== sectionKey(passage) || !isSameRevision(span.rev, passage.rev)) return false;
    if (passage.start === null || passage.end === null) return true;
    return passage.start < (span.end ?? Number.POSITIVE_INFINITY) && passage.end > (span.start ?? 0);
  });
}
