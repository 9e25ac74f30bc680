import { sha256 as hash } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/** sha256 of a text's UTF-8 bytes, in hexadecimal. */
export function sha256(text: string): string {
  return bytesToHex(hash(utf8ToBytes(text)));
}

/** A u32 from a text, for seeding: the first 4 bytes (big endian) of its sha256. */
export function seedOf(text: string): number {
  return Number.parseInt(sha256(text).slice(0, 8), 16);
}
