import type { ServingArm } from "../arm.ts";

/**
 * What a request, message or write says it was made for, as found on the wire and not yet checked. Absent or null: it
 * does not say. @source requirements.md SL-1
 */
export interface Pins {
  /** `sc-<int>`, ordered. */
  readonly schemaRev?: string | null | undefined;
  /** Compared for equality only, as is `modelTag`. */
  readonly indexHash?: string | null | undefined;
  readonly modelTag?: string | null | undefined;
}

/**
 * What one revision of a service works with. Null leaves a pin unlocked, on purpose and in writing: a field that was
 * forgotten is not admitted.
 * @source definitions.md §6
 */
export interface Serves {
  /** Both included, e.g. `sc-10` to `sc-12`. */
  readonly schemaRev: { readonly min: string; readonly max: string } | null;
  readonly indexHash: readonly string[] | null;
  readonly modelTag: readonly string[] | null;
}

/** Request and response headers of the pins. From clients they are internal headers: trusted only when listed. */
export const PIN_HEADERS = {
  schemaRev: "x-schema-rev",
  indexHash: "x-index-hash",
  modelTag: "x-model-tag",
} as const;

/** A pin by its name in `Pins` and `Serves`. */
export type PinName = keyof typeof PIN_HEADERS;

/** Names of the pins, in the order in which they are compared and reported. */
export const PIN_NAMES: readonly PinName[] = ["schemaRev", "indexHash", "modelTag"];

/** What is wrong with one pin. `schema-behind`: the service is older than the request's revision. */
export type PinProblem =
  | "pin-missing"
  | "pin-malformed"
  | "schema-behind"
  | "schema-unsupported"
  | "index-mismatch"
  | "model-mismatch";

/** One pin that a revision does not serve; goes over the wire as it is. */
export interface PinDifference {
  /** Whose; only from a router, which knows both. */
  readonly arm?: ServingArm;
  readonly field: PinName;
  readonly problem: PinProblem;
  /** Null when it is missing; at most 256 characters of it. */
  readonly wanted: string | null;
  readonly serves: Serves[PinName];
}

/** An arm that may serve; without `serves` it declares nothing and refuses nothing. */
export interface LockedArm {
  readonly arm: ServingArm;
  readonly serves?: Serves;
}

/** No arm that may serve serves the pins: the data plane answers itself (SL-2). */
export interface SchemaRefusal {
  readonly kind: "refused";
  readonly arm: null;
  readonly differences: readonly PinDifference[];
}

/** A SCHEMA_REV. No leading zeros: one name each. Up to 15 digits, which a number holds exactly. */
export const REVISION = /^sc-(0|[1-9]\d{0,14})$/;
/** A hash or a tag: visible ASCII. Two copies of a header are joined by a space and are none. */
export const PIN_TEXT = /^[!-~]{1,256}$/;

const SHOWN_LENGTH = 256;
const numberOf = (revision: string) => Number(revision.slice(3));

/** What is wrong with one pin; null when it is served, or not locked. Takes any value: messages come from outside. */
export function pinProblem(name: PinName, wanted: unknown, serves: Serves): PinProblem | null {
  const served = serves[name];
  if (served === null) return null;
  if (wanted === undefined || wanted === null) return "pin-missing";
  const pattern = "min" in served ? REVISION : PIN_TEXT;
  if (typeof wanted !== "string" || !pattern.test(wanted)) return "pin-malformed";
  if (!("min" in served)) {
    if (served.includes(wanted)) return null;
    return name === "indexHash" ? "index-mismatch" : "model-mismatch";
  }
  if (numberOf(wanted) > numberOf(served.max)) return "schema-behind";
  return numberOf(wanted) < numberOf(served.min) ? "schema-unsupported" : null;
}

/**
 * Every pin that is locked and not served; none is a match.
 * @param allowMissing true: a pin that is missing locks nothing
 */
export function pinDifferences(pins: Pins, serves: Serves, allowMissing: boolean): readonly PinDifference[] {
  const differences: PinDifference[] = [];
  for (const field of PIN_NAMES) {
    const wanted: unknown = pins[field];
    const problem = pinProblem(field, wanted, serves);
    if (problem === null || (allowMissing && problem === "pin-missing")) continue;
    differences.push({ field, problem, wanted: shown(wanted), serves: serves[field] });
  }
  return differences;
}

function shown(wanted: unknown): string | null {
  if (wanted === undefined || wanted === null) return null;
  return typeof wanted === "string" ? wanted.slice(0, SHOWN_LENGTH) : `a value of type ${typeof wanted}`;
}

/**
 * Which of the open arms may take a request by its pins. Null: every one, the rules below decide. An arm: it serves the
 * pins and another does not (SL-3, RT-18). Refused: none serves them (SL-2). A pin that is missing locks nothing.
 *
 * Stands above pin token, allow-list, sticky share and weight, and below whatever closes an arm: a closed arm is not in
 * `open`. Where the lock leaves one of two arms it is the reason of the route even if the draw had said the same:
 * requests that were never free to be drawn would bend the sample-ratio test.
 * @source definitions.md §9
 */
export function chooseBySchema<Arm extends LockedArm>(pins: Pins, open: readonly Arm[]): Arm | SchemaRefusal | null {
  const differences: PinDifference[] = [];
  let matching: Arm | null = null;
  for (const one of open) {
    const ofArm = one.serves === undefined ? [] : pinDifferences(pins, one.serves, true);
    if (ofArm.length === 0) matching = one;
    for (const difference of ofArm) differences.push({ arm: one.arm, ...difference });
  }
  if (differences.length === 0) return null;
  return matching ?? { kind: "refused", arm: null, differences };
}
