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

/** Squared lengths within these are exact enough to divide by; outside, squares overflow or vanish. */
const [SQUARE_MIN, SQUARE_MAX] = [1e-200, 1e200];

/**
 * Cosine of the angle between two vectors, -1..1; null when one of them is zero and has no direction. Coordinates are
 * finite: who asks an embedder sees to it (`createJudge`), because NaN would pass every limit it is compared with.
 */
export function cosine(left: Vector, right: Vector): number | null {
  const [leftSquare, rightSquare] = [dot(left, left), dot(right, right)];
  if (isExact(leftSquare) && isExact(rightSquare)) return quotient(dot(left, right), leftSquare, rightSquare);
  const [near, far] = [toUnitScale(left), toUnitScale(right)];
  return near === null || far === null ? null : quotient(dot(near, far), dot(near, near), dot(far, far));
}

function isExact(square: number): boolean {
  return square >= SQUARE_MIN && square <= SQUARE_MAX;
}

function quotient(product: number, leftSquare: number, rightSquare: number): number {
  return Math.min(1, Math.max(-1, product / (Math.sqrt(leftSquare) * Math.sqrt(rightSquare))));
}

/** The vector with 1 as its largest coordinate; null for the zero vector. */
function toUnitScale(vector: Vector): Vector | null {
  const coordinates = Float64Array.from(vector);
  assert(coordinates.every(Number.isFinite), "a vector has finite coordinates");
  const largest = coordinates.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest === 0 ? null : coordinates.map((value) => value / largest);
}
