import { readFacts } from "./arm-facts.ts";
import { SERVING_ARMS } from "../arm.ts";
import { canonicalJson, type Json } from "../canonical-json.ts";
import type { Problem } from "../problem.ts";
import type { Bp, EpochMs } from "../unit.ts";
import {
  type ArmTarget,
  DOCUMENT_LIMITS,
  isNewer,
  LEASE_LIMITS,
  NO_TERMS,
  renderDocument,
  type RoutingDocument,
  type UnitIdentity,
} from "./document.ts";
import { mayBeInCopy, mayNameUnit } from "./headers.ts";
import { checkRegions, readRegions, sameRegions } from "./regions.ts";
import { SEGMENT_LIMITS, SEGMENT_NAME, type SegmentSource } from "./segments.ts";
import { readServes } from "./schema-lock-serves.ts";
import { readShadow } from "./shadow.ts";
import { ShapeReader } from "./shape.ts";
import { contentOf, readSuccession } from "./signature.ts";

/**
 * What a data plane does with a document that arrived. `keep`: nothing new, routing stays. `refuse`: the document may
 * not be used and the last good one stays; worth a log line and a counter (I21).
 */
export type Admission =
  | { readonly kind: "adopt"; readonly document: RoutingDocument }
  | { readonly kind: "keep"; readonly reason: string }
  | { readonly kind: "refuse"; readonly problems: readonly Problem[] };

const CODE = "E401";
/** Of every version. */
const FIELDS = [
  "version",
  "service",
  "epoch",
  "seq",
  "rolloutId",
  "arms",
  "candidateBp",
  "sticky",
  "identity",
  "allow",
  "closed",
  "drainMs",
  "issuedAt",
] as const;
const U32_MAX = 2 ** 32 - 1;
const WEEK_MS = 7 * 86_400_000;
const NAME = /^[\x21-\x7e]+$/;
const KEY = /^[0-9a-f]{64}$/;
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
/** Scheme, host, optional port and path; no user, query, fragment or space. The port is checked apart. */
const ENDPOINT =
  /^https?:\/\/(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::(\d{1,5}))?(?:\/[\w.~!$&'()*+,;=:@%/-]*)?$/;

/**
 * Reads a document from its JSON text and decides on it as `admit` does.
 * @param current the document in force; null at a data plane that has none
 */
export function admitText(text: string, current: RoutingDocument | null): Admission {
  const bytes = utf8Length(text);
  if (bytes > DOCUMENT_LIMITS.bytes) return tooLarge(bytes); // Before parsing: size alone must not cost memory.
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return {
      kind: "refuse",
      problems: [{ code: CODE, path: "", message: "found no JSON, expected a routing document" }],
    };
  }
  return admit(json, current, bytes);
}

/**
 * Decides whether a document may route traffic: closed shape, sizes, shares and endpoints valid, of the same service,
 * and newer than `current`. A document is valid only whole (I3), never goes backwards, and one (epoch, seq) has one
 * content for ever (I8).
 * @param bytes size of the JSON text the document came in
 */
export function admit(json: unknown, current: RoutingDocument | null, bytes: number): Admission {
  if (bytes > DOCUMENT_LIMITS.bytes) return tooLarge(bytes);
  const shape = new ShapeReader(CODE);
  const document = readDocument(shape, json);
  if (document !== null && shape.problems.length === 0) checkArms(shape, document); // Only fields that were read.
  if (document !== null && current !== null && document.service !== current.service) {
    shape.refuse("service", `found "${document.service}", expected "${current.service}"`);
  }
  if (document !== null && current !== null && document.epoch === current.epoch && !sameRegions(document, current)) {
    shape.refuse("regions", `differ from those of epoch ${current.epoch}, which is in force; expected a newer epoch`);
  }
  if (document === null || shape.problems.length > 0) return { kind: "refuse", problems: shape.problems };
  if (current === null || isNewer(document, current)) return { kind: "adopt", document };
  const found = `${document.epoch}.${document.seq}`;
  if (isNewer(current, document)) {
    return {
      kind: "keep",
      reason: `document ${found} is older than ${current.epoch}.${current.seq}, which is in force`,
    };
  }
  if (canonicalJson(contentOf(document) as unknown as Json) === canonicalJson(contentOf(current) as unknown as Json)) {
    const isSignedAnew = (document.kid ?? null) !== null && document.kid !== current.kid;
    return isSignedAnew
      ? { kind: "adopt", document }
      : { kind: "keep", reason: `document ${found} is in force already` };
  }
  if (isUpgrade(document, current)) return { kind: "adopt", document };
  shape.refuse("seq", `document ${found} is in force with other content; publish changes under a higher seq`);
  return { kind: "refuse", problems: shape.problems };
}

/** The same document, which came before as a data plane of an older version reads it: a plane that was updated. */
function isUpgrade(document: RoutingDocument, current: RoutingDocument): boolean {
  const rendered = renderDocument(document, current.version);
  return (
    document.version > current.version &&
    canonicalJson(contentOf(rendered) as unknown as Json) === canonicalJson(contentOf(current) as unknown as Json)
  );
}

function tooLarge(bytes: number): Admission {
  const message = `found ${bytes} bytes, expected at most ${DOCUMENT_LIMITS.bytes}; shorten the allow-list or endpoints`;
  return { kind: "refuse", problems: [{ code: CODE, path: "", message }] };
}

function readDocument(shape: ShapeReader, json: unknown): RoutingDocument | null {
  const version = typeof json === "object" && json !== null ? (json as { version?: unknown }).version : undefined;
  const terms: readonly (keyof typeof NO_TERMS)[] =
    version === 2 ? ["store", "region", "lease", "override", "end", "kid", "signature"] : [];
  const later = ["segments", "shadow", "signals", "regions", "succession"] as const;
  const fields = shape.object(json, "", [...terms, ...FIELDS], version === 2 ? later : []);
  if (fields === null) return null;
  const arms = shape.object(fields.arms, "arms", SERVING_ARMS);
  const sticky = shape.object(fields.sticky, "sticky", ["hash", "seed", "ttlMs"], ["key", "cookie"]);
  const identity = readIdentity(shape, fields.identity);
  const stable = arms === null ? null : readTarget(shape, arms.stable, "arms.stable");
  if (arms === null || sticky === null || identity === null || stable === null) return null;
  const document: RoutingDocument = {
    version: shape.literal(fields.version, "version", [1, 2]),
    service: shape.text(fields.service, "service", 128, NAME, "visible ASCII"),
    epoch: shape.integer(fields.epoch, "epoch", Number.MAX_SAFE_INTEGER),
    seq: shape.integer(fields.seq, "seq", Number.MAX_SAFE_INTEGER),
    rolloutId: fields.rolloutId === null ? null : shape.text(fields.rolloutId, "rolloutId", 256, NAME, "visible ASCII"),
    arms: { stable, candidate: arms.candidate === null ? null : readTarget(shape, arms.candidate, "arms.candidate") },
    candidateBp: shape.integer(fields.candidateBp, "candidateBp", 10_000) as Bp,
    sticky: {
      hash: shape.literal(sticky.hash, "sticky.hash", ["v1"]),
      seed: shape.integer(sticky.seed, "sticky.seed", U32_MAX),
      ttlMs: shape.integer(sticky.ttlMs, "sticky.ttlMs", Number.MAX_SAFE_INTEGER),
      ...readKey(shape, sticky),
    },
    identity,
    allow: shape.list(fields.allow, "allow", { min: 0, max: DOCUMENT_LIMITS.allow }, (unit, path) =>
      shape.text(unit, path, 512),
    ),
    closed: shape.list(fields.closed, "closed", { min: 0, max: 2 }, (arm, path) =>
      shape.literal(arm, path, SERVING_ARMS),
    ),
    drainMs: shape.integer(fields.drainMs, "drainMs", WEEK_MS),
    issuedAt: shape.time(fields.issuedAt, "issuedAt") as EpochMs,
    ...(fields.version === 2 ? readTerms(shape, fields) : {}),
    ...(fields.segments === undefined ? {} : { segments: readSegments(shape, fields.segments) }),
    ...(fields.shadow === undefined ? {} : { shadow: readShadow(shape, fields.shadow, mayBeInCopy) }),
    ...(fields.signals === undefined ? {} : { signals: readSignals(shape, fields.signals) }),
    ...(fields.regions === undefined ? {} : { regions: readRegions(shape, fields.regions, ...endpointsOf(shape)) }),
  };
  shape.unique(document.allow, "allow");
  shape.unique(document.closed, "closed");
  return document;
}

/** A cookie is nothing without the key that signs it. */
function readKey(shape: ShapeReader, sticky: { readonly key?: unknown; readonly cookie?: unknown }) {
  if (sticky.cookie !== undefined && sticky.key === undefined) {
    shape.refuse("sticky.key", "missing, expected the key that signs the cookie");
  }
  const key = sticky.key === undefined ? {} : { key: shape.text(sticky.key, "sticky.key", 64, KEY, "a key in hex") };
  if (sticky.cookie === undefined) return key;
  return { ...key, cookie: shape.text(sticky.cookie, "sticky.cookie", 64, HEADER_NAME, "a cookie's name") };
}

type Terms = Required<Pick<RoutingDocument, keyof typeof NO_TERMS>> & Pick<RoutingDocument, "succession">;

/** What version 2 adds. Reserved fields take null alone: a value would mean something this code does not do. */
function readTerms(shape: ShapeReader, fields: { readonly [name in keyof Terms]?: unknown }): Terms {
  const name = (value: unknown, path: string, max: number) =>
    value === null ? null : shape.text(value, path, max, NAME, "visible ASCII");
  const lease = fields.lease === null ? null : shape.object(fields.lease, "lease", ["ms"]);
  const ms = lease === null ? 0 : shape.integer(lease.ms, "lease.ms", LEASE_LIMITS.maxMs);
  if (lease !== null && ms < LEASE_LIMITS.minMs) {
    shape.refuse("lease.ms", `found ${ms}, expected at least ${LEASE_LIMITS.minMs}`);
  }
  for (const reserved of ["region", "end"] as const) {
    if (fields[reserved] !== null) shape.refuse(reserved, "is reserved, expected null");
  }
  if ((fields.kid === null) !== (fields.signature === null)) {
    shape.refuse("signature", "found only one of kid and signature, expected both or neither");
  }
  return {
    store: name(fields.store, "store", 128),
    region: null,
    lease: lease === null ? null : { ms },
    override: name(fields.override, "override", 320),
    end: null,
    kid: name(fields.kid, "kid", 128),
    signature: name(fields.signature, "signature", 512),
    ...(fields.succession === undefined ? {} : { succession: readSuccession(shape, fields.succession, 1) }),
  };
}

function readIdentity(shape: ShapeReader, json: unknown): UnitIdentity | null {
  const fields = shape.object(json, "identity", ["trustedHeaders", "stickyBy"]);
  if (fields === null) return null;
  const bounds = { min: 0, max: DOCUMENT_LIMITS.headers };
  const name = (value: unknown, path: string) => shape.text(value, path, 128, HEADER_NAME, "a header name");
  const unitName = (value: unknown, path: string) => {
    const read = name(value, path);
    if (read !== "" && !mayNameUnit(read)) {
      shape.refuse(path, `"${read}" is a header the data plane keeps for itself and cannot name a unit`);
    }
    return read;
  };
  return {
    trustedHeaders: shape.list(fields.trustedHeaders, "identity.trustedHeaders", bounds, name),
    stickyBy: shape.list(fields.stickyBy, "identity.stickyBy", bounds, unitName),
  };
}

function readSegments(shape: ShapeReader, json: unknown): readonly SegmentSource[] {
  const read = (value: unknown, path: string): SegmentSource => {
    const fields = shape.object(value, path, ["name", "header", "show"]);
    const name = shape.text(fields?.name, `${path}.name`, SEGMENT_LIMITS.name, SEGMENT_NAME, "lower-case letters");
    const header =
      fields?.header === null
        ? null
        : shape.text(fields?.header, `${path}.header`, 128, HEADER_NAME, "a header name").toLowerCase();
    if (header !== null && header !== "" && !mayNameUnit(header)) {
      shape.refuse(`${path}.header`, `"${header}" is a header the data plane keeps for itself`);
    }
    return { name, header, show: fields?.show === true };
  };
  const sources = shape.list(json, "segments", { min: 1, max: SEGMENT_LIMITS.sources }, read);
  shape.unique(
    sources.map(({ name }) => name),
    "segments",
  );
  return sources;
}

/** Names that this version does not know are not looked for. */
function readSignals(shape: ShapeReader, json: unknown): readonly string[] {
  return shape.list(json, "signals", { min: 1, max: DOCUMENT_LIMITS.signals }, (value, path) =>
    shape.text(value, path, 64, NAME, "visible ASCII"),
  );
}

function readTarget(shape: ShapeReader, json: unknown, path: string): ArmTarget | null {
  const fields = shape.object(json, path, ["releaseId", "endpoints", "cachePrefix"], ["serves", "facts"]);
  if (fields === null) return null;
  const serves = fields.serves === undefined ? null : readServes(shape, fields.serves, `${path}.serves`);
  const [endpoint, max] = endpointsOf(shape);
  const endpoints = shape.list(fields.endpoints, `${path}.endpoints`, { min: 1, max }, endpoint);
  return {
    releaseId: shape.text(fields.releaseId, `${path}.releaseId`, 256, NAME, "visible ASCII"),
    endpoints,
    cachePrefix: shape.text(fields.cachePrefix, `${path}.cachePrefix`, 128, NAME, "visible ASCII"),
    ...(serves === null ? {} : { serves }),
    ...(fields.facts === undefined ? {} : { facts: readFacts(shape, fields.facts, `${path}.facts`) }),
  };
}

/** How one endpoint is read, and how many there may be in one place. */
function endpointsOf(shape: ShapeReader): readonly [read: (value: unknown, at: string) => string, max: number] {
  const read = (value: unknown, at: string): string => {
    const text = shape.text(value, at, 2_048, ENDPOINT, "an http(s) URL of scheme, host, port and path");
    const port = ENDPOINT.exec(text)?.[1];
    if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) shape.refuse(at, `found port ${port}`);
    return text;
  };
  return [read, DOCUMENT_LIMITS.endpoints];
}

/** Rules between fields: an arm that is absent or closed has no share, and something must serve. */
function checkArms(shape: ShapeReader, document: RoutingDocument): void {
  const { arms, candidateBp, closed } = document;
  checkRegions(shape, document);
  if (arms.candidate === null && candidateBp > 0) {
    shape.refuse("candidateBp", `found ${candidateBp}, expected 0: there is no candidate`);
  }
  if (closed.includes("candidate") && candidateBp > 0) {
    shape.refuse("candidateBp", `found ${candidateBp}, expected 0: the candidate is closed`);
  }
  if (document.shadow !== undefined && (arms.candidate === null || candidateBp > 0 || closed.length > 0)) {
    shape.refuse("shadow", "expected both arms open and candidateBp 0: a candidate that gets copies answers no user");
  }
  if (closed.includes("stable") && candidateBp < 10_000) {
    shape.refuse("candidateBp", `found ${candidateBp}, expected 10000: stable is closed`);
  }
  if (closed.includes("stable") && (closed.includes("candidate") || arms.candidate === null)) {
    shape.refuse("closed", "every arm is closed, expected one that serves");
  }
  if (arms.candidate === null) return;
  const [a, b] = [arms.stable.cachePrefix, arms.candidate.cachePrefix];
  if (a.startsWith(b) || b.startsWith(a)) {
    shape.refuse("arms.candidate.cachePrefix", `"${b}" and stable's "${a}" overlap: arms would read each other's keys`);
  }
}

function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // A surrogate pair is two units and four bytes; a lone one is written as three.
    if (unit >= 0x80) bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}
