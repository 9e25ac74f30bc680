import { canonicalJson, type Json } from "../core/canonical-json.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import { sha256 } from "../core/routing/sha256.ts";
import { contentOf } from "../core/routing/signature.ts";

const known = new WeakMap<RoutingDocument, string>();

/**
 * What a document says, as 64 hexadecimal digits: sha256 of its canonical JSON without key and signature, so that the
 * same document signed with the next key is the same. Computed once for each object.
 */
export function digestOf(document: RoutingDocument): string {
  const found = known.get(document);
  if (found !== undefined) return found;
  const digest = sha256(new TextEncoder().encode(canonicalJson(contentOf(document) as unknown as Json)));
  known.set(document, digest);
  return digest;
}

/** Bytes as lower-case hexadecimal digits. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
