/** One thing wrong with a document. All problems of a document are reported together. */
export interface Problem {
  /** Stable code, e.g. `E112`; the handbook has a section for each. */
  readonly code: string;
  /** Path inside the document, e.g. `spec.strategy.canary.steps[1].weight`. */
  readonly path: string;
  /** 1-based position in the source text; absent when the document did not come from text. */
  readonly at?: { readonly line: number; readonly column: number };
  /** What was found and what was expected, as one sentence. */
  readonly message: string;
  /** What to do about it; absent when the message says it already. */
  readonly fix?: string;
}
