import { canonicalJson } from "../core/canonical-json.ts";
import { digestOf, sha256Hex } from "./digest.ts";

/** Who used a key, and where. The same key of another tenant, principal, method or route is another key (S15). */
export interface KeyScope {
  readonly tenant: string;
  readonly principal: string;
  /** Template, not path: `/v1/charges/{id}`. */
  readonly route: string;
}

/** Longest scope a store keeps as text; a longer one is kept as its digest. */
const SCOPE_BYTES_MAX = 512;

/** One text for a scope; equal texts mean equal parts, whatever characters the parts hold. */
export async function scopeText(scope: KeyScope, method: string): Promise<string> {
  const text = canonicalJson([scope.tenant, scope.principal, method, scope.route]);
  const bytes = new TextEncoder().encode(text).length;
  return bytes <= SCOPE_BYTES_MAX ? text : `sha256:${await sha256Hex(text)}`;
}

/**
 * What a request asked for, as one digest: SHA-256 of the canonical JSON of method, path, sorted query, content type
 * and the digest of the raw body. Taken once, before any handler can change anything.
 * @source reliability.md, Semantics, Idempotency-Key
 */
export async function fingerprintOf(request: Request, body: Uint8Array<ArrayBuffer>): Promise<string> {
  const url = new URL(request.url);
  const query = [...url.searchParams].sort(([a, x], [b, y]) => compare(a, b) || compare(x, y));
  return digestOf({
    method: request.method,
    path: url.pathname,
    query,
    content_type: request.headers.get("content-type"),
    body_sha256: await sha256Hex(body),
  });
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
