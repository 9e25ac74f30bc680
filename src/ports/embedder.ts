import type { Vector } from "../core/measure/cosine.ts";

/**
 * The judge: turns texts into vectors whose cosine says how alike they are. One judge for both arms, and not the arms'
 * own retrieval embedder: a candidate that changes its embedder must not grade itself.
 */
export interface Embedder {
  /** EVAL_EMBED_VER: provider, model, dimensions and whatever else shapes a vector. Equal ids give equal vectors. */
  readonly id: string;
  /**
   * One vector a text, in order, all of one length; a text nothing is known of may be the zero vector. Texts are not
   * empty. Rejects with DriverError.
   */
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Vector[]>;
}
