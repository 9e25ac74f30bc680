import { assert } from "../assert.ts";

/** An embedding. All vectors of one judge have the same length. */
export type Vector = ArrayLike<number>;

/** Sum of the products of two vectors of one length, in float64. */
function dot(left: Vector, right: Vector): number {
  assert(left.length === right.length, `vectors of one judge have one length: ${left.length}, ${right.length}`);
  let sum = 0;
  for (let i = 0; i < left.length; i++) sum += (left[i] as number) * (right[i] as number);
  return sum;
}

/** Cosine of the angle between two vectors, -1..1; null when one of them is zero and has no direction. */
export function cosine(left: Vector, right: Vector): number | null {
  const norms = Math.sqrt(dot(left, left)) * Math.sqrt(dot(right, right));
  if (norms === 0) return null;
  return Math.min(1, Math.max(-1, dot(left, right) / norms));
}
