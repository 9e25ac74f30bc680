import { canonicalJson, type Json } from "../canonical-json.ts";
import type { RoutingDocument } from "./document.ts";
import { sha256 } from "./sha256.ts";
import type { ShapeReader } from "./shape.ts";

/** A public key as it is handed over: `ed25519:` and 64 hexadecimal digits, one spelling for each key. */
const PUBLIC_KEY = /^ed25519:[0-9a-f]{64}$/;
const SIGNATURE = /^[0-9a-f]{128}$/;
/** Hexadecimal digits of a key's name. */
const KID_DIGITS = 16;

/** One change of keys: `by` says that `key` takes its place, and signs that. From then on nothing of `by` counts. */
export interface Succession {
  readonly key: string;
  readonly by: string;
  readonly signature: string;
}

/** Changes of keys that a document carries at most, the last ones: who slept through more is told its key by hand. */
export const SUCCESSIONS_MAX = 16;

export function isPublicKey(text: string): boolean {
  return PUBLIC_KEY.test(text);
}

/** Name of a key, by which a document says what it was signed with. */
export function kidOf(publicKey: string): string {
  return sha256(Uint8Array.from(publicKey, (character) => character.charCodeAt(0))).slice(0, KID_DIGITS);
}

/** What a document says, without who signed it: the same (epoch, seq) may be signed anew, with another key. */
export function contentOf(document: RoutingDocument): Omit<RoutingDocument, "kid" | "signature" | "succession"> {
  const { kid: _, signature: __, succession: ___, ...content } = document;
  return content;
}

/** The text that a document's signature is made over: everything it says, the name of the key included. */
export function signedTextOf(document: RoutingDocument): string {
  const { signature: _, ...said } = document;
  return canonicalJson(said as unknown as Json);
}

/** The text by which a key hands over to the next one. It is no document: it has none of a document's fields. */
export function successionText({ key, by }: Pick<Succession, "key" | "by">): string {
  return canonicalJson({ succession: 1, key, by });
}

/** Changes of keys from outside, at least `min` of them. */
export function readSuccession(shape: ShapeReader, json: unknown, min: number): readonly Succession[] {
  const key = (value: unknown, path: string) => {
    const read = shape.text(value, path, 128);
    if (!isPublicKey(read)) shape.refuse(path, "expected a public key: ed25519: and 64 hexadecimal digits");
    return read;
  };
  return shape.list(json, "succession", { min, max: SUCCESSIONS_MAX }, (value, path) => {
    const link = shape.object(value, path, ["key", "by", "signature"]);
    return {
      key: key(link?.key, `${path}.key`),
      by: key(link?.by, `${path}.by`),
      signature: shape.text(link?.signature, `${path}.signature`, 128, SIGNATURE, "a signature in hex"),
    };
  });
}
