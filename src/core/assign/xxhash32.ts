const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;

/**
 * xxHash32 of the UTF-8 bytes of `text`: an unsigned 32-bit integer. A lone surrogate counts as U+FFFD, as in
 * TextEncoder. ASCII text is hashed in place without an allocation.
 * @param seed integer 0..2³² − 1
 * @source xxHash specification (XXH32), github.com/Cyan4973/xxHash doc/xxhash_spec.md; test/vectors/assign.v1.json
 */
export function xxHash32(text: string, seed: number): number {
  const hash = hashBytes(text, seed, 0x7f);
  return hash >= 0 ? hash : hashBytes(utf8Of(text), seed, 0xff);
}

/**
 * Hashes a string whose code units are bytes. Returns −1 when one is above `unitMax`: noticing that on the way saves
 * a second pass over every ASCII key, and reading the characters is most of the work.
 */
function hashBytes(text: string, seed: number, unitMax: number): number {
  const length = text.length;
  let at = 0;
  let seen = 0;
  let hash: number;
  if (length >= 16) {
    let lane1 = (seed + PRIME_1 + PRIME_2) | 0;
    let lane2 = (seed + PRIME_2) | 0;
    let lane3 = seed | 0;
    let lane4 = (seed - PRIME_1) | 0;
    for (const last = length - 16; at <= last; at += 16) {
      let a = text.charCodeAt(at);
      let b = text.charCodeAt(at + 1);
      let c = text.charCodeAt(at + 2);
      let d = text.charCodeAt(at + 3);
      seen |= a | b | c | d;
      lane1 = round(lane1, a | (b << 8) | (c << 16) | (d << 24));
      a = text.charCodeAt(at + 4);
      b = text.charCodeAt(at + 5);
      c = text.charCodeAt(at + 6);
      d = text.charCodeAt(at + 7);
      seen |= a | b | c | d;
      lane2 = round(lane2, a | (b << 8) | (c << 16) | (d << 24));
      a = text.charCodeAt(at + 8);
      b = text.charCodeAt(at + 9);
      c = text.charCodeAt(at + 10);
      d = text.charCodeAt(at + 11);
      seen |= a | b | c | d;
      lane3 = round(lane3, a | (b << 8) | (c << 16) | (d << 24));
      a = text.charCodeAt(at + 12);
      b = text.charCodeAt(at + 13);
      c = text.charCodeAt(at + 14);
      d = text.charCodeAt(at + 15);
      seen |= a | b | c | d;
      lane4 = round(lane4, a | (b << 8) | (c << 16) | (d << 24));
    }
    hash = (rotate(lane1, 1) + rotate(lane2, 7) + rotate(lane3, 12) + rotate(lane4, 18)) | 0;
  } else {
    hash = (seed + PRIME_5) | 0;
  }
  hash = (hash + length) | 0;
  for (const last = length - 4; at <= last; at += 4) {
    const a = text.charCodeAt(at);
    const b = text.charCodeAt(at + 1);
    const c = text.charCodeAt(at + 2);
    const d = text.charCodeAt(at + 3);
    seen |= a | b | c | d;
    hash = (hash + Math.imul(a | (b << 8) | (c << 16) | (d << 24), PRIME_3)) | 0;
    hash = Math.imul(rotate(hash, 17), PRIME_4);
  }
  for (; at < length; at++) {
    const a = text.charCodeAt(at);
    seen |= a;
    hash = (hash + Math.imul(a, PRIME_5)) | 0;
    hash = Math.imul(rotate(hash, 11), PRIME_1);
  }
  return seen > unitMax ? -1 : avalanche(hash);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function round(lane: number, word: number): number {
  return Math.imul(rotate((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1);
}

function avalanche(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  mixed = Math.imul(mixed ^ (mixed >>> 13), PRIME_3);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** UTF-8 bytes of `text`, each as one code unit. */
function utf8Of(text: string): string {
  let bytes = "";
  for (const character of text) {
    let point = character.codePointAt(0) as number;
    if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd;
    if (point < 0x80) bytes += String.fromCharCode(point);
    else if (point < 0x800) bytes += String.fromCharCode(0xc0 | (point >> 6), tail(point));
    else if (point < 0x10000) bytes += String.fromCharCode(0xe0 | (point >> 12), tail(point >> 6), tail(point));
    else bytes += String.fromCharCode(0xf0 | (point >> 18), tail(point >> 12), tail(point >> 6), tail(point));
  }
  return bytes;
}

function tail(bits: number): number {
  return 0x80 | (bits & 0x3f);
}
