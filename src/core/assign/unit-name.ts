/**
 * A unit (user, session) as evidence names it: an integer 0..2^32 - 1, unrelated to the unit's arm and to anything
 * personal. The same unit has the same name at every gateway for one generation of a rollout.
 */
export type UnitName = number & { readonly unit: "unit-name" };

/** One more than the largest name: the threshold under which every unit is. */
export const ALL_NAMES = 2 ** 32;

/**
 * The name of the unit with a bucket hash. A keyed bijection whose outputs are spread evenly whatever part of the hash
 * space an arm covers, so that keeping the names below a threshold keeps the same part of both arms' units.
 * @param hash bucket hash, 0..2^32 - 1
 * @param key  of the rollout's generation, 0..2^32 - 1; not the bucket seed
 * @source the 32-bit finaliser "lowbias32" of C. Wellons (2018), applied to the hash before and after the key
 */
export function unitName(hash: number, key: number): UnitName {
  return mix(mix(hash) ^ key) as UnitName;
}

/** A unit as people see it in messages: `u-1a2b3c4d`. */
export function unitLabel(name: UnitName): string {
  return `u-${name.toString(16).padStart(8, "0")}`;
}

function mix(value: number): number {
  let word = value | 0;
  word = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  word = Math.imul(word ^ (word >>> 15), 0x846ca68b);
  return (word ^ (word >>> 16)) >>> 0;
}
