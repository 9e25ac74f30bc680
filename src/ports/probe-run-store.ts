import type { ProbeAnswer } from "../core/measure/gold.ts";

/** What is worth keeping of a run. Failed runs are not: they are asked again. */
export type StoredRun =
  | { readonly kind: "answer"; readonly answer: ProbeAnswer }
  | { readonly kind: "schema-violation"; readonly field: string; readonly detail: string; readonly excerpt: string };

/**
 * Answers of earlier runs, so that an interrupted probe goes on where it stopped. The key is a digest of every field
 * of the request and of the arm's version pins: equal keys mean an equal question to an equal service.
 */
export interface ProbeRunStore {
  read(key: string): Promise<StoredRun | null>;
  /** Idempotent: a key is written again with an equally good answer only. */
  write(key: string, run: StoredRun): Promise<void>;
}
