/** FNV-1a over UTF-16 code units with murmur3's finaliser, as u32. Feature hashing and seeds only; never a bucket. */
export function hash32(text: string, seed = 0): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Reproducible randomness: the same seed and purpose give the same sequence on every machine. */
export interface Seeded {
  /** Uniform in [0, 1). */
  float(): number;
  /** Standard normal. */
  normal(): number;
  /** A new array in random order. */
  shuffle<T>(items: readonly T[]): T[];
}

/**
 * One stream for each `purpose`, so that a fault that draws more does not shift the model times.
 * @source the generator is mulberry32: a 32-bit counter with an avalanche; period 2^32, far beyond one run
 */
export function seeded(seed: number, purpose: string): Seeded {
  let state = hash32(purpose, seed >>> 0);
  const float = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    float,
    normal: () => Math.sqrt(-2 * Math.log(1 - float())) * Math.cos(2 * Math.PI * float()), // Box-Muller, one branch.
    shuffle: (items) => {
      const result = [...items];
      for (let last = result.length - 1; last > 0; last--) {
        const other = Math.floor(float() * (last + 1));
        [result[last], result[other]] = [result[other]!, result[last]!];
      }
      return result;
    },
  };
}
