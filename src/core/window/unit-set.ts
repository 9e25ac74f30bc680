const SLOT_BITS = 20;

/**
 * Units seen so far, by the 20 leading bits of their bucket hash: 128 KiB whatever the number of units. Units that
 * share a slot count once, equally often in both arms, because the arms split the hash space and not the slots.
 */
export class UnitSet {
  readonly #words = new Int32Array(2 ** (SLOT_BITS - 5));

  /** True when the unit is new; from then on it is not. */
  add(hash: number): boolean {
    const slot = hash >>> (32 - SLOT_BITS);
    const word = this.#words[slot >>> 5] as number;
    const bit = 1 << (slot & 31);
    if ((word & bit) !== 0) return false;
    this.#words[slot >>> 5] = word | bit;
    return true;
  }

  clear(): void {
    this.#words.fill(0);
  }
}
