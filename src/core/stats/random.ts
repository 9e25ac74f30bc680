import { assert } from "../assert.ts";

/** A stream of numbers, uniform on [0, 1), that depends on its seed alone. */
export type RandomStream = () => number;

/**
 * A reproducible stream of 32-bit quality, for resampling; not for secrets.
 * @param seed integer 0..2^32 - 1, given by the caller: core has no source of chance of its own
 * @source xoshiro128**: D. Blackman, S. Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47:4
 * (2021); the state is filled with the 32-bit finaliser of MurmurHash3 (A. Appleby) over a Weyl sequence
 */
export function randomStream(seed: number): RandomStream {
  assert(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32, `a seed is an integer 0..2^32 - 1: ${seed}`);
  let a = scramble(seed + GOLDEN);
  let b = scramble(seed + 2 * GOLDEN);
  let c = scramble(seed + 3 * GOLDEN);
  let d = scramble(seed + 4 * GOLDEN);
  return () => {
    const value = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return value / 2 ** 32;
  };
}

/** 2^32 divided by the golden ratio: the step of the Weyl sequence. */
const GOLDEN = 0x9e3779b9;

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function scramble(value: number): number {
  let word = value | 0;
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}
