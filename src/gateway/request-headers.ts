import type { RoutingDocument } from "../core/routing/document.ts";
import { connectionNames, HEADERS, isHopByHop, isInternalHeader } from "../core/routing/headers.ts";
import { FORWARDING_HEADERS } from "../core/routing/header-spellings.ts";
import { unitHeadersOf } from "../core/assign/unit-header.ts";
import { trustedPinsOf } from "../core/routing/route.ts";
import { PIN_HEADERS, type PinName } from "../core/routing/schema-lock.ts";
import type { Trust } from "./peers.ts";
import { REFUSALS, type Refusal } from "./refusal.ts";

/**
 * What a header field means to the gateway. Values from `SCHEMA_PIN` on are positions in the list of trusted pins, from
 * `UNIT` on in the list of unit headers.
 */
const FORWARD = 0;
const DROP = 1;
const HOST = 2;
const CONTENT_LENGTH = 3;
const TRANSFER_ENCODING = 4;
const CONNECTION = 5;
const UPGRADE = 6;
const WISH = 7;
const WARM = 8;
const PIN = 9;
const FORWARDED_FOR = 10;
const FORWARDED_HOST = 11;
const FORWARDED_PROTO = 12;
const FORWARDING = 13;
const EDGE_POP = 14;
const COOKIE = 15;
const EDGE_CONTEXT = 16;
const SCHEMA_PIN = 17;
const UNIT = 23;

const MEANINGS: ReadonlyMap<string, number> = new Map([
  ["host", HOST],
  ["content-length", CONTENT_LENGTH],
  ["transfer-encoding", TRANSFER_ENCODING],
  ["connection", CONNECTION],
  ["upgrade", UPGRADE],
  ["expect", DROP],
  [HEADERS.arm, WISH],
  [HEADERS.warm, WARM],
  [HEADERS.pin, PIN],
  ["cookie", COOKIE],
  [HEADERS.edgeContext, EDGE_CONTEXT],
  [HEADERS.forwardedFor, FORWARDED_FOR],
  [HEADERS.forwardedHost, FORWARDED_HOST],
  [HEADERS.forwardedProto, FORWARDED_PROTO],
  [HEADERS.edgePop, EDGE_POP],
  ...FORWARDING_HEADERS.map((name): [string, number] => [name, FORWARDING]),
]);
const NO_NAMES: ReadonlySet<string> = new Set();
/** Spellings remembered; clients use few, and an attacker's many must not fill memory. */
const REMEMBERED = 1_024;
/** @source RFC 9110 §7.2: a name, an IPv4 address or an IPv6 one in brackets, and a port; empty when there is none */
const HOST_FIELD = /^(?:[A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;
/** `FRA`, `cdg50-p1`. */
const POP = /^[\w.-]{1,64}$/;
const DIGITS = /^\d{1,15}$/;

/** What the header section of one request says. */
export class RequestFacts {
  /** Name, value, name, value, …: end-to-end fields only; no host, framing, expectation or internal field. */
  readonly headers: string[] = [];
  host: string | null = null;
  /** −1: the request says none. */
  contentLength = -1;
  isChunked = false;
  /** Value of the first unit header of the document's order that is present. */
  unit: string | null = null;
  wish: string | null = null;
  isWarm = false;
  pinToken: string | null = null;
  /** All copies of `cookie` as one. */
  cookies: string | null = null;
  /** What an edge says it decided, unverified. */
  edgeContext: string | null = null;
  forwardedFor: string | null = null;
  forwardedHost: string | null = null;
  forwardedProto: string | null = null;
  /** The point of presence that an edge before us names. */
  edgePop: string | null = null;
  /** The peer said who the request is from, and is not believed. */
  isForwardingRefused = false;
  /** The peer named the unit or a schema pin, and is not believed. */
  isIdentityRefused = false;
  /** From headers the document trusts; null when there are none. Two copies are joined, and then no valid pin. */
  pins: { [name in PinName]?: string } | null = null;
}

/**
 * Reads the headers of a request: what to forward by rule, and what the gateway itself must know. Made for one
 * document, because that names the unit headers.
 */
export class RequestHeaderReader {
  readonly #meanings = new Map<string, number>();
  readonly #unitHeaders: readonly string[];
  readonly #trustedPins: readonly PinName[];
  readonly #countMax: number;

  constructor(identity: RoutingDocument["identity"], countMax: number) {
    this.#unitHeaders = unitHeadersOf(identity);
    this.#trustedPins = trustedPinsOf(identity);
    this.#countMax = countMax;
  }

  /**
   * @param raw name, value, name, value, … as received
   * @param isHttp11 HTTP/1.0 knows no chunked coding and needs no Host
   * @param trust    what is believed of the peer that sent it
   */
  read(raw: readonly string[], isHttp11: boolean, trust: Trust): RequestFacts | Refusal {
    if (raw.length > 2 * this.#countMax) return REFUSALS.headerCount;
    const facts = new RequestFacts();
    const { headers } = facts;
    let listed = NO_NAMES;
    let unitAt = this.#unitHeaders.length;
    let unitsSeen = 0;
    for (let at = 0; at < raw.length; at += 2) {
      const name = raw[at] as string;
      const value = raw[at + 1] as string;
      const meaning = this.#meanings.get(name) ?? this.#learn(name);
      if (meaning === FORWARD) {
        headers.push(name, value);
        continue;
      }
      if (meaning === DROP) continue;
      if (meaning >= SCHEMA_PIN && trust === "unlisted") {
        facts.isIdentityRefused = true;
        continue;
      }
      if (meaning >= UNIT) {
        const position = meaning - UNIT;
        if ((unitsSeen & (1 << position)) !== 0) return REFUSALS.identity;
        unitsSeen |= 1 << position;
        if (position < unitAt) {
          unitAt = position;
          facts.unit = value;
        }
        headers.push(name, value);
        continue;
      }
      if (meaning >= SCHEMA_PIN) {
        const pin = this.#trustedPins[meaning - SCHEMA_PIN] as PinName;
        facts.pins ??= {};
        const earlier = facts.pins[pin];
        facts.pins[pin] = earlier === undefined ? value : `${earlier}, ${value}`;
        continue;
      }
      if (meaning === CONNECTION) {
        if (value !== "keep-alive" && value !== "close") listed = joined(listed, value);
        continue;
      }
      if (meaning === COOKIE) {
        facts.cookies = facts.cookies === null ? value : `${facts.cookies}; ${value}`;
        headers.push(name, value);
        continue;
      }
      if (meaning === EDGE_CONTEXT) {
        facts.edgeContext = facts.edgeContext === null ? value : ""; // Two are none.
        continue;
      }
      if (meaning >= FORWARDED_FOR) {
        if (trust !== "listed") facts.isForwardingRefused = true;
        else if (meaning === FORWARDING) headers.push(name, value);
        else takeForwarded(facts, meaning, value);
        continue;
      }
      const refusal = take(facts, meaning, value, isHttp11);
      if (refusal !== null) return refusal;
    }
    if (isHttp11 && facts.host === null) return REFUSALS.host;
    if (facts.isChunked && facts.contentLength >= 0) return REFUSALS.contentLength;
    if (listed.size > 0) removeListed(headers, listed);
    return facts;
  }

  #learn(name: string): number {
    const meaning = meaningOf(name, this.#unitHeaders, this.#trustedPins);
    if (this.#meanings.size < REMEMBERED) this.#meanings.set(name, meaning);
    return meaning;
  }
}

function take(facts: RequestFacts, meaning: number, value: string, isHttp11: boolean): Refusal | null {
  switch (meaning) {
    case HOST:
      if (facts.host !== null) return REFUSALS.host;
      if (!isHost(value)) return REFUSALS.hostName;
      facts.host = value;
      return null;
    case CONTENT_LENGTH:
      if (facts.contentLength >= 0 || !DIGITS.test(value)) return REFUSALS.contentLength;
      facts.contentLength = Number(value);
      return null;
    case TRANSFER_ENCODING:
      if (facts.isChunked || !isHttp11 || value.toLowerCase() !== "chunked") return REFUSALS.transferEncoding;
      facts.isChunked = true;
      return null;
    case UPGRADE: // Clients that merely offer HTTP/2 go on in HTTP/1.1 when nobody takes it up.
      return value.toLowerCase() === "h2c" ? null : REFUSALS.upgrade;
    case WISH:
      facts.wish = facts.wish === null ? value : ""; // Two wishes are none.
      return null;
    case WARM:
      facts.isWarm = value === "true";
      return null;
    default:
      facts.pinToken = facts.pinToken === null ? value : "";
      return null;
  }
}

function takeForwarded(facts: RequestFacts, meaning: number, value: string): void {
  if (meaning === FORWARDED_HOST) facts.forwardedHost = value;
  else if (meaning === FORWARDED_PROTO) facts.forwardedProto = value;
  else if (meaning === EDGE_POP) facts.edgePop = POP.test(value) ? value : null;
  else facts.forwardedFor = facts.forwardedFor === null ? value : `${facts.forwardedFor}, ${value}`;
}

/** A service has few names, and most requests say the one that the last one said. */
let lastHost = "";

function isHost(value: string): boolean {
  if (value === lastHost) return true;
  if (!HOST_FIELD.test(value)) return false;
  const colon = value.endsWith("]") ? -1 : value.lastIndexOf(":");
  const isSound = colon < 0 || Number(value.slice(colon + 1)) <= 65_535;
  if (isSound) lastHost = value;
  return isSound;
}

/**
 * Meaning of a field name. A name that only looks like one that matters (`Content_Length`, `x.user.id`) is dropped:
 * servers of the CGI kind read `_`, and some other signs, as `-`.
 */
function meaningOf(name: string, unitHeaders: readonly string[], trustedPins: readonly PinName[]): number {
  const lower = name.toLowerCase();
  const known = MEANINGS.get(lower);
  if (known !== undefined) return known;
  const unitAt = unitHeaders.indexOf(lower);
  if (unitAt >= 0) return UNIT + unitAt;
  const pinAt = trustedPins.findIndex((pin) => PIN_HEADERS[pin] === lower);
  if (pinAt >= 0) return SCHEMA_PIN + pinAt;
  if (isInternalHeader(name) || isHopByHop(lower, NO_NAMES)) return DROP;
  const spelled = lower.replace(/[^a-z0-9]/g, "-");
  if (spelled === lower) return FORWARD;
  const imitates = MEANINGS.has(spelled) || unitHeaders.includes(spelled) || isHopByHop(spelled, NO_NAMES);
  return imitates ? DROP : FORWARD;
}

function joined(listed: ReadonlySet<string>, value: string): ReadonlySet<string> {
  return new Set([...listed, ...connectionNames(value)]);
}

function removeListed(headers: string[], listed: ReadonlySet<string>): void {
  let kept = 0;
  for (let at = 0; at < headers.length; at += 2) {
    if (listed.has((headers[at] as string).toLowerCase())) continue;
    headers[kept++] = headers[at] as string;
    headers[kept++] = headers[at + 1] as string;
  }
  headers.length = kept;
}
