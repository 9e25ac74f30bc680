import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { canonicalJson, type Json } from "../core/canonical-json.ts";

/** Lower-case hex SHA-256 of bytes or of a text's UTF-8. */
export function sha256Hex(content: string | Uint8Array): string {
  return bytesToHex(sha256(typeof content === "string" ? utf8ToBytes(content) : content));
}

/** SHA-256 of the canonical JSON of a value: equal for equal values, whatever the order of their keys. */
export function digestOf(value: Json): string {
  return sha256Hex(canonicalJson(value));
}

/**
 * Root over leaves in the given order. Leaves and nodes are hashed under different prefixes, so that no node can pass
 * for a leaf; a node without a partner moves up as it is; no leaves at all is the hash of nothing.
 * @source the prefixes are those of RFC 6962 §2.1
 */
export function merkleRoot(leaves: readonly Json[]): string {
  if (leaves.length === 0) return sha256Hex("");
  let level: Uint8Array[] = leaves.map((leaf) =>
    sha256(concatBytes(Uint8Array.of(0), utf8ToBytes(canonicalJson(leaf)))),
  );
  while (level.length > 1) {
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, pair) => {
      const [left, right] = [level[2 * pair] as Uint8Array, level[2 * pair + 1]];
      return right === undefined ? left : sha256(concatBytes(Uint8Array.of(1), left, right));
    });
  }
  return bytesToHex(level[0] as Uint8Array);
}
