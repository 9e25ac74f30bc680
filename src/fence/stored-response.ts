import type { Json } from "../core/canonical-json.ts";
import { HEADERS } from "../core/routing/headers.ts";

/** What is kept of an answer: the whole of it, or of a stream only its size and digest. */
export type StoredAnswer =
  | {
      readonly kind: "body";
      readonly requestId: string;
      readonly status: number;
      readonly headers: readonly (readonly [name: string, value: string])[];
      readonly encoding: "text" | "base64";
      readonly body: string;
    }
  | {
      readonly kind: "stream";
      readonly requestId: string;
      readonly status: number;
      readonly bytes: number;
      /** `sha256-64k:` and 64 hexadecimal characters; see StreamDigest. */
      readonly digest: string;
      /** False when the client went away before the end; the handler ran all the same. */
      readonly complete: boolean;
    };

/**
 * Headers that belong to one transmission or one client and are not replayed. `set-cookie` is among them: a replay
 * must not hand out a session again.
 * @source RFC 9110 §7.6.1 for the hop-by-hop names
 */
const NOT_STORED: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "date",
  "keep-alive",
  "proxy-authenticate",
  "proxy-connection",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  HEADERS.event, // It speaks of the first delivery's own work.
]);

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text where the bytes are UTF-8 (it is readable in the store), else base64. */
function encodeBody(bytes: Uint8Array): { readonly encoding: "text" | "base64"; readonly body: string } {
  try {
    return { encoding: "text", body: utf8.decode(bytes) };
  } catch {
    let binary = "";
    for (const byte of bytes) binary += String.fromCharCode(byte);
    return { encoding: "base64", body: btoa(binary) };
  }
}

function decodeBody(encoding: "text" | "base64", body: string): Uint8Array<ArrayBuffer> {
  if (encoding === "text") return new TextEncoder().encode(body);
  return Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
}

export function storeBody(response: Response, bytes: Uint8Array, requestId: string): StoredAnswer {
  const headers = [...response.headers].filter(([name]) => !NOT_STORED.has(name));
  return { kind: "body", requestId, status: response.status, headers, ...encodeBody(bytes) };
}

/** @source Fetch standard: a response with one of these statuses must have no body */
const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** The stored answer again, marked as replayed and with the id of the request that ran. */
export function replayBody(stored: Extract<StoredAnswer, { kind: "body" }>): Response {
  const headers = new Headers(stored.headers.map(([name, value]): [string, string] => [name, value]));
  headers.set("idempotent-replayed", "true");
  headers.set("original-request-id", stored.requestId);
  const body = NO_BODY.has(stored.status) || stored.body === "" ? null : decodeBody(stored.encoding, stored.body);
  return new Response(body, { status: stored.status, headers });
}

export function parseStored(result: string): StoredAnswer {
  return JSON.parse(result) as StoredAnswer;
}

export function serialise(stored: StoredAnswer): string {
  return JSON.stringify(stored satisfies Json);
}
