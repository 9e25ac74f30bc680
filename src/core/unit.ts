import { assert } from "./assert.ts";

/** Share in basis points: an integer 0..10 000. Integers, so that the shares of all arms sum exactly. */
export type Bp = number & { readonly unit: "bp" };

/** Milliseconds since the Unix epoch. Always passed in: core never reads a clock. */
export type EpochMs = number & { readonly unit: "epoch-ms" };

export const BP_ALL = 10_000 as Bp;
export const BP_NONE = 0 as Bp;

/** Checks and brands a share. Throws an invariant error when `value` is not an integer 0..10 000. */
export function bp(value: number): Bp {
  assert(Number.isInteger(value) && value >= 0 && value <= 10_000, `bp is an integer 0..10_000: ${value}`);
  return value as Bp;
}

/** Checks and brands a time. Throws an invariant error when `value` is not a finite number >= 0. */
export function epochMs(value: number): EpochMs {
  assert(Number.isFinite(value) && value >= 0, `epoch-ms is a finite number >= 0: ${value}`);
  return value as EpochMs;
}
