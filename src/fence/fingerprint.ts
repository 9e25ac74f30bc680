import { canonicalJson, type Json } from "../core/canonical-json.ts";
import { digestOf, sha256Hex } from "./digest.ts";
import { readContentType } from "./content-type.ts";
import { readMultipart } from "./multipart.ts";

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
 * What a request asked for, as one digest: SHA-256 of the canonical JSON of method, path, query, content type and body.
 * Taken once, before any handler can change anything. Spellings that mean the same to every server are one: the order
 * of differently named query parameters, letter case and quotes of the content type, and the boundary of a form.
 * @source reliability.md, Semantics, Idempotency-Key
 */
export async function fingerprintOf(request: Request, body: Uint8Array<ArrayBuffer>): Promise<string> {
  const { pathname, search } = new URL(request.url);
  const type = readContentType(request.headers.get("content-type"));
  const parts = readMultipart(type, body);
  const form = parts && (await Promise.all(parts.map(async (part) => [part.head, await sha256Hex(part.body)])));
  return digestOf({
    method: request.method,
    path: pathname,
    query: queryOf(search),
    content_type: type.text,
    ...(form === null ? { boundary: type.boundary, body_sha256: await sha256Hex(body) } : { form }),
  });
}

/**
 * Pairs of a query by name; the values of one name keep their order, which means something to many servers. A query
 * that is not UTF-8 stays as it is written: decoded, two different ones could look alike.
 */
function queryOf(search: string): Json {
  const text = search.slice(1);
  if (text === "") return [];
  try {
    const pairs = text.split("&").map((pair) => {
      const at = pair.indexOf("=");
      return at < 0 ? [decode(pair)] : [decode(pair.slice(0, at)), decode(pair.slice(at + 1))];
    });
    return pairs.sort(([a = ""], [b = ""]) => compare(a, b)); // A stable sort.
  } catch {
    return text;
  }
}

const decode = (text: string) => decodeURIComponent(text.replaceAll("+", " "));

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
