import { cosine, type Vector } from "../measure/cosine.ts";

/** Cosine of a stored vector and the same chunk's, embedded again, from which they are taken for the same. */
const SAME_COSINE_MIN = 0.999;

/** A chunk of the sample: what the store holds, and what is made of its text now. */
export interface SampledVector {
  readonly id: string;
  /** Null: the store has no such row. */
  readonly stored: Vector | null;
  readonly again: Vector;
}

/** The same direction, or no direction both times. */
function isSame(stored: Vector, again: Vector): boolean {
  if (stored.length !== again.length) return false;
  const found = cosine(stored, again);
  if (found !== null) return found >= SAME_COSINE_MIN;
  const isZero = (vector: Vector) => Array.from(vector).every((coordinate) => coordinate === 0);
  return isZero(stored) && isZero(again);
}

/**
 * Why a built index is not what its inputs say: INDEX_HASH is over inputs, so it proves nothing of what was stored.
 * Null: as many rows as chunks, and every sampled vector is that of its text. An empty sample is no proof, and a fault.
 */
export function integrityFault(
  counts: { readonly chunks: number; readonly rows: number },
  sample: readonly SampledVector[],
): string | null {
  if (counts.rows !== counts.chunks) return `it holds ${counts.rows} rows of ${counts.chunks} chunks`;
  if (sample.length === 0) return "no vector of it was looked at";
  const gone = sample.find(({ stored }) => stored === null);
  if (gone !== undefined) return `it has no row of the chunk ${gone.id}`;
  const other = sample.filter(({ stored, again }) => !isSame(stored as Vector, again));
  const [first] = other;
  if (first === undefined) return null;
  const found = cosineText(first.stored as Vector, first.again);
  return `${other.length} of ${sample.length} sampled vectors are not those of their texts (${first.id}: ${found})`;
}

function cosineText(stored: Vector, again: Vector): string {
  if (stored.length !== again.length) return `${stored.length} dimensions, expected ${again.length}`;
  const found = cosine(stored, again);
  return found === null ? "a vector of zeros" : `cosine ${found.toFixed(4)}, expected ${SAME_COSINE_MIN} or more`;
}
