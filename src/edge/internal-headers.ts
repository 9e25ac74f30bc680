import { PIN_HEADERS } from "../core/routing/schema-lock.ts";

/**
 * Request headers only the data plane may set. A client's copy could choose an arm, claim to be a probe or poison a
 * cache, so every copy is dropped before the data plane writes its own (S1).
 */
const INTERNAL_HEADERS: ReadonlySet<string> = new Set([
  "x-exp",
  "x-release",
  "x-release-pin",
  "x-canary",
  "x-region-pin",
  "x-region-stick",
  "x-warm",
  "x-probe",
  "x-edge-ctx",
  "x-cache-namespace",
  "schema-rev",
  "index-hash",
  "model-tag",
  ...Object.values(PIN_HEADERS), // Handed on only from a header the document trusts.
]);
const INTERNAL_PREFIX = "x-sluice-";
const FIRST_LETTER = /^\s*[xsim]/i;

/**
 * Fields that describe one connection and end at it; what the `Connection` field lists joins them.
 * @source RFC 9110 §7.6.1
 */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Whether a request header is internal, in any spelling a server further down could take for one: upper case, `_` or
 * another sign for `-` (CGI-style servers make no difference), white space around the name.
 */
export function isInternalHeader(name: string): boolean {
  if (!FIRST_LETTER.test(name)) return false; // Most headers end here.
  const spelled = name
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "-");
  return INTERNAL_HEADERS.has(spelled) || spelled.startsWith(INTERNAL_PREFIX);
}

/** Whether a header ends at this connection. `listed` are the lower-case names of the `Connection` field. */
export function isHopByHop(name: string, listed: ReadonlySet<string>): boolean {
  const lower = name.toLowerCase();
  return HOP_BY_HOP.has(lower) || listed.has(lower);
}

/** Names the `Connection` field lists, lower case. */
export function connectionNames(connection: string | null): ReadonlySet<string> {
  if (connection === null) return NONE;
  return new Set(connection.split(",").map((name) => name.trim().toLowerCase()));
}

const NONE: ReadonlySet<string> = new Set();
