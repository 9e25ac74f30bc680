import type { ServingArm } from "../arm.ts";
import { assert } from "../assert.ts";
import { thresholdOf } from "../assign/bucket.ts";
import { unitHeadersOf } from "../assign/unit-header.ts";
import { xxHash32 } from "../assign/xxhash32.ts";
import type { ArmTarget, RoutingDocument } from "./document.ts";
import type { RegionPlaces } from "./regions.ts";
import { chooseBySchema, PIN_HEADERS, PIN_NAMES, type PinName, type Pins, type SchemaRefusal } from "./schema-lock.ts";

/** Why a request went where it went; the first rule of the precedence that applied. */
export type RouteReason =
  | "closed-arm"
  | "no-candidate"
  | "lease-expired"
  | "override"
  | "shadow"
  | "schema-lock"
  | "pin"
  | "allow-list"
  | "sticky"
  | "no-unit";

/** Why one arm alone may serve. */
type OnlyReason = "closed-arm" | "no-candidate" | "lease-expired" | "override" | "shadow";

/** A pin whose signature and expiry were already verified; never made from a bare client header. */
export interface Pin {
  readonly arm: ServingArm;
  /** Traffic of a `probe` pin is no user traffic and is counted apart. */
  readonly purpose: "probe" | "qa" | "user";
}

/** Where an arm is served, with its name. */
export interface RouteTarget extends ArmTarget {
  /** Also the value of the answer header `x-sluice-arm` and of the outbound `x-exp`. */
  readonly arm: ServingArm;
}

/** One decision. */
export interface Route {
  readonly arm: ServingArm;
  readonly reason: RouteReason;
  /** Bucket hash of the unit, 0..2³² − 1; null without a unit. Feeds the sticky label and the per-unit evidence cap. */
  readonly hash: number | null;
  readonly target: RouteTarget;
}

/** A routing document prepared for decisions. Immutable: a new document is a new table, swapped in one assignment. */
export interface RouteTable {
  readonly document: RoutingDocument;
  /** `one`: a single arm may serve and nothing a request carries can change that. */
  readonly choice:
    | { readonly kind: "one"; readonly target: RouteTarget; readonly reason: OnlyReason }
    | { readonly kind: "both"; readonly stable: RouteTarget; readonly candidate: RouteTarget };
  readonly seed: number;
  /** Hashes below it are on the candidate. */
  readonly threshold: number;
  readonly allow: ReadonlySet<string>;
  /** Headers that may name the unit, lower case, first present wins. */
  readonly unitHeaders: readonly string[];
  /** Arms that may serve; null while none of them declares what it serves. */
  readonly locked: readonly RouteTarget[] | null;
  /** Pins whose header the document trusts: what a data plane reads and hands on. */
  readonly trustedPins: readonly PinName[];
  /** Region that answers behind each arm, which clients are told; absent where the document tells none apart. */
  readonly places?: RegionPlaces;
  /** Answer header `x-sluice-doc`: `epoch.seq`. */
  readonly headerDoc: string;
  /** Answer header `x-sluice-split`: the candidate's share in basis points. */
  readonly headerSplit: string;
}

/** Prepares an admitted document. Throws an invariant error when no arm may serve, which `admit` has refused. */
export function compileRouteTable(document: RoutingDocument): RouteTable {
  const choice = choiceOf(document);
  return {
    document,
    choice,
    locked: lockedOf(choice),
    trustedPins: trustedPinsOf(document.identity),
    seed: document.sticky.seed,
    threshold: thresholdOf(document.candidateBp),
    allow: new Set(document.allow),
    unitHeaders: unitHeadersOf(document.identity),
    headerDoc: `${document.epoch}.${document.seq}`,
    headerSplit: String(document.candidateBp),
  };
}

/**
 * The same document with stable alone, for a data plane whose lease is over or whom a person told so: nothing a request
 * carries selects the candidate. The table itself where stable is closed: then the candidate is not provisional.
 */
export function stableOnly(table: RouteTable, reason: "lease-expired" | "override"): RouteTable {
  const { arms, closed } = table.document;
  if (closed.includes("stable")) return table;
  const choice: RouteTable["choice"] = { kind: "one", target: { ...arms.stable, arm: "stable" }, reason };
  return { ...table, choice, locked: lockedOf(choice), headerSplit: "0" }; // The split in force, which clients are told.
}

function choiceOf({ arms, closed, shadow }: RoutingDocument): RouteTable["choice"] {
  const stable: RouteTarget = { ...arms.stable, arm: "stable" };
  const candidate: RouteTarget | null = arms.candidate === null ? null : { ...arms.candidate, arm: "candidate" };
  if (closed.includes("stable")) {
    assert(candidate !== null && !closed.includes("candidate"), "a document leaves one arm open");
    return { kind: "one", target: candidate, reason: "closed-arm" };
  }
  if (closed.includes("candidate")) return { kind: "one", target: stable, reason: "closed-arm" };
  if (shadow !== undefined) return { kind: "one", target: stable, reason: "shadow" };
  return candidate === null
    ? { kind: "one", target: stable, reason: "no-candidate" }
    : { kind: "both", stable, candidate };
}

function lockedOf(choice: RouteTable["choice"]): RouteTable["locked"] {
  const open = choice.kind === "one" ? [choice.target] : [choice.stable, choice.candidate];
  return open.some(({ serves }) => serves !== undefined) ? open : null;
}

/** Pins whose header `trustedHeaders` lists, in any case. */
export function trustedPinsOf({ trustedHeaders }: RoutingDocument["identity"]): readonly PinName[] {
  const trusted = trustedHeaders.map((name) => name.toLowerCase());
  return PIN_NAMES.filter((pin) => trusted.includes(PIN_HEADERS[pin]));
}

/**
 * Decides one request, synchronously and without I/O. Precedence, strongest first: closed arms, schema lock, valid
 * signed pin, allow-list, sticky share; no unit is stable. Evacuation is not in the document yet.
 * @param unit         who is asking, from an authenticated identity; null when unknown
 * @param requestedArm the client's `x-exp`, honoured for units on the allow-list only
 * @param pins         schema pins from trusted headers; without them the schema lock changes nothing
 * @source definitions.md §9
 */
export function route(
  table: RouteTable,
  unit: string | null,
  pin: Pin | null,
  requestedArm: ServingArm | null,
  pins?: null,
): Route;
export function route(
  table: RouteTable,
  unit: string | null,
  pin: Pin | null,
  requestedArm: ServingArm | null,
  pins: Pins | null,
): Route | SchemaRefusal;
export function route(
  table: RouteTable,
  unit: string | null,
  pin: Pin | null,
  requestedArm: ServingArm | null,
  pins: Pins | null = null,
): Route | SchemaRefusal {
  const hash = unit === null ? null : xxHash32(unit, table.seed);
  const { choice, locked } = table;
  if (locked !== null && pins !== null) {
    const only = chooseBySchema(pins, locked);
    if (only !== null) return only.arm === null ? only : decided(only, "schema-lock", hash);
  }
  if (choice.kind === "one") return decided(choice.target, choice.reason, hash);
  const { stable, candidate } = choice;
  if (pin !== null) return decided(pin.arm === "candidate" ? candidate : stable, "pin", hash);
  if (unit === null || hash === null) return decided(stable, "no-unit", null);
  if (table.allow.size > 0 && table.allow.has(unit)) {
    const isOptedIn = requestedArm === null ? table.threshold > 0 : requestedArm === "candidate";
    return decided(isOptedIn ? candidate : stable, "allow-list", hash);
  }
  return decided(hash < table.threshold ? candidate : stable, "sticky", hash);
}

function decided(target: RouteTarget, reason: RouteReason, hash: number | null): Route {
  return { arm: target.arm, reason, hash, target };
}

/** What a client may call an arm; colours and roles are the words of the pages. */
const ARM_WORDS: ReadonlyMap<string, ServingArm> = new Map([
  ["stable", "stable"],
  ["blue", "stable"],
  ["control", "stable"],
  ["candidate", "candidate"],
  ["green", "candidate"],
  ["canary", "candidate"],
]);

/** The arm a client's `x-exp` asks for; null when it asks for none we know. Grants nothing by itself. */
export function requestedArmOf(header: string | null): ServingArm | null {
  return header === null ? null : (ARM_WORDS.get(header) ?? null);
}
