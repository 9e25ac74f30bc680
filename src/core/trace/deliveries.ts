/** Deliveries remembered in one generation; a shipper that sends again does so soon. */
const REMEMBERED = 65_536;
/** Half of the slots stay empty, so that a search ends soon. */
const SLOTS = 2 * REMEMBERED;
const SLOT_MASK = 2 * SLOTS - 1;
/** Parts of a millisecond that a time can tell apart, a power of two, so that no time loses a digit. */
const TICKS = 4_096;
const WORD = 2 ** 32;

/**
 * Tells an event that was delivered before from one that only looks like it. Log shippers send at least once; what came
 * twice counts once. Remembers two generations of 64-bit hashes, the full one and the one being filled, so that memory
 * is bounded: a delivery repeated after more than that many others counts again. Two different ones are taken for one
 * in about one trace of a hundred million, each of a million events.
 */
export class Deliveries {
  readonly #hash = new TextHash();
  /** Slots of both generations in turn, so that one look into memory answers for both; 0 where a slot is empty. */
  readonly #lows = new Int32Array(2 * SLOTS);
  readonly #highs = new Int32Array(2 * SLOTS);
  #filling: 0 | 1 = 0;
  #size = 0;

  /**
   * True when this delivery was seen before.
   * @param id   the event's own id, or that of its trace
   * @param atMs tells events of one trace apart; one value for all where the id is the event's own
   */
  isRepeated(id: string, atMs: number): boolean {
    this.#hash.take(id, atMs * TICKS);
    const { low, high } = this.#hash;
    if (this.#lows[this.#placeOf(low, high, this.#filling === 0 ? 1 : 0)] !== 0) return true;
    const place = this.#placeOf(low, high, this.#filling);
    if (this.#lows[place] !== 0) return true;
    this.#lows[place] = low;
    this.#highs[place] = high;
    if (++this.#size === REMEMBERED) this.#forgetOldest();
    return false;
  }

  /** Where a hash of a generation is, or where it would go. */
  #placeOf(low: number, high: number, generation: 0 | 1): number {
    const lows = this.#lows;
    let place = ((2 * high) & SLOT_MASK) | generation;
    while (lows[place] !== 0 && (lows[place] !== low || this.#highs[place] !== high)) place = (place + 2) & SLOT_MASK;
    return place;
  }

  #forgetOldest(): void {
    this.#filling = this.#filling === 0 ? 1 : 0;
    this.#size = 0;
    for (let place: number = this.#filling; place < this.#lows.length; place += 2) this.#lows[place] = 0;
  }
}

/**
 * 64 bits of a text and a number, in two words that are left in the fields, so that a million ids make no million
 * objects. `low` is never 0.
 * @source MurmurHash3_x86_128 by A. Appleby (public domain): two of its four lanes, its constants
 */
class TextHash {
  low = 1;
  high = 0;

  /** @param number a whole number up to 2⁵³ */
  take(text: string, number: number): void {
    const { length } = text;
    const top = Math.floor(number / WORD);
    const bottom = (number - top * WORD) | 0;
    const whole = length & ~3;
    this.low = bottom;
    this.high = top ^ length;
    if (this.#takeBytes(text, whole)) this.#takeEach(text, whole);
    else {
      this.low = bottom;
      this.high = top ^ ~length;
      this.#takeEach(text, 0);
    }
    const low = avalanche((this.low + this.high) | 0);
    this.high = avalanche((low + this.high) | 0);
    this.low = low === 0 ? 1 : low;
  }

  /** Takes four characters at once: most of the time is spent on reading them. False when one is wider than a byte. */
  #takeBytes(text: string, to: number): boolean {
    let a = this.low;
    let b = this.high;
    let all = 0;
    for (let at = 0; at < to; at += 4) {
      const first = text.charCodeAt(at);
      const second = text.charCodeAt(at + 1);
      const third = text.charCodeAt(at + 2);
      const fourth = text.charCodeAt(at + 3);
      all |= first | second | third | fourth;
      const word = first | (second << 8) | (third << 16) | (fourth << 24);
      a = mixLow(a, word);
      b = mixHigh(b, word);
    }
    this.low = a;
    this.high = b;
    return all <= 0xff;
  }

  #takeEach(text: string, from: number): void {
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at);
      this.low = mixLow(this.low, code);
      this.high = mixHigh(this.high, code);
    }
  }
}

function mixLow(state: number, word: number): number {
  return Math.imul(rotate(state + Math.imul(word, 0x239b961b), 15), 0xab0e9789);
}

function mixHigh(state: number, word: number): number {
  return Math.imul(rotate(state + Math.imul(word, 0x38b34ae5), 16), 0xa1e38b93);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function avalanche(value: number): number {
  const once = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return twice ^ (twice >>> 16);
}
