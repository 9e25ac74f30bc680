import type { Bp } from "../unit.ts";

const HASH_SPACE = 2 ** 32;

/**
 * First hash that is no longer on the candidate: 0 at share 0 and 2³² at 10 000. The product is exact in a double, so
 * every data plane gets the same integer.
 * @source definitions.md §7
 */
export function thresholdOf(candidateBp: Bp): number {
  return Math.floor((candidateBp * HASH_SPACE) / 10_000);
}

/** Whether a unit with this hash belongs to the candidate. Raising the share only moves units stable → candidate. */
export function isOnCandidate(hash: number, candidateBp: Bp): boolean {
  return hash < thresholdOf(candidateBp);
}

/** Bucket of a hash, 0..9999. Coarse on purpose: it goes into logs and must not name a person. */
export function bucketOf(hash: number): number {
  return Math.floor((hash * 10_000) / HASH_SPACE);
}

/**
 * Sticky label of the telemetry event, e.g. `h4711`.
 * @source definitions.md §10
 */
export function stickyLabel(hash: number): string {
  return `h${bucketOf(hash)}`;
}
