import { hmacSha256 } from "./sha256.ts";

/** Hexadecimal digits kept of a signature: 128 bits. */
const DIGITS = 32;
/** Of a text whose characters are all ASCII; another one names other bytes, and its signature is then its own. */
const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** Signs short texts that data planes of one service hand each other through others' hands. */
export interface Signer {
  /** The text with its signature behind a full stop. */
  sign(text: string): string;
  /** The text of something that `sign` made for the same purpose with the same key; else null. */
  open(signed: string): string | null;
}

/**
 * @param keyHex  the document's key
 * @param purpose keeps what was signed as one thing from counting as another
 */
export function signerOf(keyHex: string, purpose: string): Signer {
  const key = bytesOf(`${purpose}/${keyHex}`);
  const signature = (text: string) => hmacSha256(key, bytesOf(text)).slice(0, DIGITS);
  return {
    sign: (text) => `${text}.${signature(text)}`,
    open(signed) {
      const end = signed.lastIndexOf(".");
      if (end < 0 || signed.length - end - 1 !== DIGITS) return null;
      const text = signed.slice(0, end);
      return isEqual(signature(text), signed.slice(end + 1)) ? text : null;
    },
  };
}

/** Takes the same time wherever the first difference is. */
function isEqual(one: string, other: string): boolean {
  let difference = 0;
  for (let at = 0; at < DIGITS; at++) difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return difference === 0;
}
