import type { SectionRef } from "../core/measure/gold.ts";

/** A section of the source documents, as a corpus lists it. Offsets of gold are code points of `text`. */
export interface CorpusSection extends SectionRef {
  readonly text: string;
  /** Revision of the source, where the corpus has one. */
  readonly rev?: string;
}
