import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { canonicalJson, type Json } from "../canonical-json.ts";

const [LEAF, NODE] = [Uint8Array.of(0), Uint8Array.of(1)];

/** Lower-case hex SHA-256 of bytes or of a text's UTF-8. */
export function sha256Hex(content: string | Uint8Array): string {
  return bytesToHex(sha256(typeof content === "string" ? utf8ToBytes(content) : content));
}

/** SHA-256 of the canonical JSON of a value: equal for equal values, whatever the order of their keys. */
export function digestOf(value: Json): string {
  return sha256Hex(canonicalJson(value));
}

/** The 32 bytes that stand for one leaf. */
export function leafHash(leaf: Json): Uint8Array {
  return sha256(concatBytes(LEAF, utf8ToBytes(canonicalJson(leaf))));
}

/**
 * Root over the hashes of leaves in the given order, as hex. Leaves and nodes are hashed under different prefixes, so
 * that no node can pass for a leaf; a node without a partner moves up as it is; no leaves at all is the hash of
 * nothing. Holds one hash a level of the tree, so that leaves may come from a stream.
 * @source RFC 6962 §2.1: this tree and its prefixes
 */
export function merkleRoot(leaves: Iterable<Uint8Array>): string {
  const roots: { readonly hash: Uint8Array; readonly size: number }[] = [];
  const join = (): void => {
    const [right, left] = [roots.pop()!, roots.pop()!];
    roots.push({ hash: sha256(concatBytes(NODE, left.hash, right.hash)), size: left.size + right.size });
  };
  for (const hash of leaves) {
    roots.push({ hash, size: 1 });
    while (roots.length > 1 && roots.at(-1)!.size === roots.at(-2)!.size) join();
  }
  while (roots.length > 1) join();
  return roots[0] === undefined ? sha256Hex("") : bytesToHex(roots[0].hash);
}
