import type { ServingArm } from "../arm.ts";
import { PIN_HEADERS, PIN_NAMES, type Pins } from "./schema-lock.ts";

/** Every header a data plane reads or writes for itself; the only place that spells them. */
export const HEADERS = {
  /** A client's wish for an arm, honoured for units on the allow-list; toward the service the arm that was chosen. */
  arm: "x-exp",
  /** Toward the service: prefix of every cache key of the arm. */
  cacheNamespace: "x-cache-namespace",
  /** `true`: a ping that keeps an instance warm, no user. */
  warm: "x-warm",
  /** From an edge to the gateway behind it: its decision, signed, so that it is not made a second time. */
  edgeContext: "x-edge-ctx",
  /** A signed, expiring token that chooses an arm. */
  pin: "x-release-pin",
  /** Toward the client: the arm that answered. */
  answeredBy: "x-sluice-arm",
  /** Toward the client: `epoch.seq` of the document in force. */
  document: "x-sluice-doc",
  /** Toward the client: the candidate's share in basis points. */
  split: "x-sluice-split",
  /** Toward the client: the region that answers, which its session stays with (page 004). */
  regionStick: "x-region-stick",
  /** Toward the client: `gateway` where the data plane answered by itself. */
  origin: "x-sluice-origin",
  /** From the service: what only it knows of its answer, for events and counts; ends at the data plane. */
  event: "x-sluice-event",
  /** From the edge before the gateway: the point of presence that took the request. */
  edgePop: "x-edge-pop",
  /** Toward the candidate: `1` on a copy of a request that stable answers. */
  shadow: "x-sluice-shadow",
  /** Of a copy: its own name, and a hash by which equal requests are known. */
  shadowId: "x-sluice-shadow-id",
  requestHash: "x-sluice-request-hash",
  /** Of a copy: `allow` where it may have effects; without it the fence refuses them. */
  effects: "x-sluice-effects",
  forwardedFor: "x-forwarded-for",
  forwardedHost: "x-forwarded-host",
  forwardedProto: "x-forwarded-proto",
} as const;

/** Labels of a prepared document, as `RouteTable` holds them. */
interface DocumentLabels {
  readonly headerDoc: string;
  readonly headerSplit: string;
}

/** What the service is told of a decision: name, value, …. */
export function requestLabels(arm: ServingArm, cachePrefix: string): readonly string[] {
  return [HEADERS.arm, arm, HEADERS.cacheNamespace, cachePrefix];
}

/** What the client is told of a decision: name, value, …; no arm where none was asked. */
export function answerLabels({ headerDoc, headerSplit }: DocumentLabels, arm: ServingArm | null): readonly string[] {
  const document = [HEADERS.document, headerDoc, HEADERS.split, headerSplit];
  return arm === null ? document : [HEADERS.answeredBy, arm, ...document];
}

/** What the client is told of the region that answers: name, value, …; nothing where there is one alone. */
export function regionLabels(region: string | null | undefined): readonly string[] {
  return region == null ? [] : [HEADERS.regionStick, region];
}

/** Adds the schema pins of a request, which came from headers the document trusts. */
export function addPins(headers: string[], pins: Pins | null): void {
  if (pins === null) return;
  for (const name of PIN_NAMES) {
    const value = pins[name];
    if (value) headers.push(PIN_HEADERS[name], value);
  }
}

/**
 * Request headers only the data plane may set. A client's copy could choose an arm, claim to be a probe or poison a
 * cache, so every copy is dropped before the data plane writes its own (S1).
 */
export const INTERNAL_HEADERS: ReadonlySet<string> = new Set([
  HEADERS.arm,
  "x-release",
  HEADERS.pin,
  "x-canary",
  "x-region-pin",
  HEADERS.regionStick,
  HEADERS.warm,
  "x-probe",
  HEADERS.edgeContext,
  HEADERS.cacheNamespace,
  "schema-rev",
  "index-hash",
  "model-tag",
  ...Object.values(PIN_HEADERS), // Handed on only from a header the document trusts.
]);
export const INTERNAL_PREFIX = "x-sluice-";
const NONE: ReadonlySet<string> = new Set();
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

/** Whether an answer's header is one of the labels only the data plane writes. @param lower name in lower case */
export function isAnswerLabel(lower: string): boolean {
  return lower.startsWith(INTERNAL_PREFIX) || lower === HEADERS.regionStick;
}

/** Fields of framing, host and forwarding, which a data plane reads or writes for itself. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "expect",
  "accept-encoding",
  HEADERS.forwardedFor,
  HEADERS.forwardedHost,
  HEADERS.forwardedProto,
]);

/** Whether a header may say who asks: end to end, and not one that the data plane keeps for itself. */
export function mayNameUnit(name: string): boolean {
  return !OWN_FIELDS.has(name.toLowerCase()) && !isHopByHop(name, NONE) && !isInternalHeader(name);
}

/** The key of a request that had an effect would find, or take, the answer of the request that was copied. */
const NEVER_IN_COPY: ReadonlySet<string> = new Set(["idempotency-key"]);

/** Whether a copy of a request may keep a header because a document names it. */
export function mayBeInCopy(name: string): boolean {
  return mayNameUnit(name) && !NEVER_IN_COPY.has(name.toLowerCase());
}

/** What a copy is told of itself, as `requestLabels` tells a request. Its cache is no arm's. */
export function shadowLabels(cachePrefix: string, effects: "deny" | "allow"): readonly string[] {
  const allowed = effects === "allow" ? [HEADERS.effects, "allow"] : [];
  return [HEADERS.arm, "shadow", HEADERS.cacheNamespace, `${cachePrefix}shadow:`, HEADERS.shadow, "1", ...allowed];
}

/** Whether a request is a copy that may have no effect: its mark denies them, and only the order's word allows them. */
export function isDeniedCopy(header: (name: string) => string | null): boolean {
  return header(HEADERS.shadow) !== null && header(HEADERS.effects) !== "allow";
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
