import { ShapeReader } from "../../core/routing/shape.ts";
import {
  PIN_HEADERS,
  PIN_NAMES,
  type PinName,
  type Pins,
  pinDifferences,
  pinProblem,
  type Serves,
} from "../../core/routing/schema-lock.ts";
import { type SchemaProblem, schemaProblem } from "../../core/routing/schema-lock-problem.ts";
import { readServes } from "../../core/routing/schema-lock-serves.ts";

/** `refused`: do not touch the work. `problem` is the answer to an HTTP caller, and says why to a person. */
export type PinVerdict = { readonly kind: "served" } | { readonly kind: "refused"; readonly problem: SchemaProblem };

const SERVED: PinVerdict = { kind: "served" };

/**
 * Compares the pins of a request, a message or a write with what this revision serves (SL-1, SL-2, SL-4, IX-13). Pure.
 * @param pins    values of any type are read, because messages come from outside
 * @param serves  checked by `checkServes` once; here it is taken as it is
 * @param options `allowMissing`: work that carries no pins was made before there were any. Default false: refused
 */
export function checkPins(pins: Pins, serves: Serves, options: { readonly allowMissing?: boolean } = {}): PinVerdict {
  const differences = pinDifferences(pins, serves, options.allowMissing ?? false);
  return differences.length === 0 ? SERVED : { kind: "refused", problem: schemaProblem(differences) };
}

/** Returns `serves` when it is usable; otherwise throws a TypeError that lists what is wrong. */
export function checkServes(serves: Serves): Serves {
  const shape = new ShapeReader("");
  readServes(shape, serves, "serves");
  if (shape.problems.length === 0) return serves;
  throw new TypeError(`schema lock: ${shape.problems.map(({ path, message }) => `${path}: ${message}`).join("; ")}`);
}

/**
 * Reads the pins of a request, whatever the framework.
 * @param header value of a header by its lower-case name, e.g. `(name) => request.headers.get(name)`
 */
export function readPins(header: (name: string) => string | null | undefined): Pins {
  const pins: { [name in PinName]?: string | null } = {};
  for (const name of PIN_NAMES) pins[name] = header(PIN_HEADERS[name]) ?? null;
  return pins;
}

/**
 * Headers that stamp an outgoing request with its pins; those that are absent are left out. Throws a TypeError on a
 * value no service would take: a mistake of ours that must not leave the house.
 */
export function pinHeaders(pins: Pins): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const name of PIN_NAMES) {
    const value = pins[name];
    if (value === undefined || value === null) continue;
    if (pinProblem(name, value, WELL_FORMED) === "pin-malformed") {
      throw new TypeError(
        `pinHeaders: ${name} is "${value}", expected ${name === "schemaRev" ? "sc-<int>" : "visible ASCII"}`,
      );
    }
    headers[PIN_HEADERS[name]] = value;
  }
  return headers;
}

/** Locks everything, so that only the form of a pin is left to judge. */
const WELL_FORMED: Serves = { schemaRev: { min: "sc-0", max: "sc-0" }, indexHash: [], modelTag: [] };

/** What a service serves, as headers of its answers: `sc-10..sc-12`, lists with commas; an unlocked pin has none. */
export function servedHeaders({ schemaRev, indexHash, modelTag }: Serves): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  if (schemaRev !== null) {
    const { min, max } = schemaRev;
    headers[PIN_HEADERS.schemaRev] = min === max ? min : `${min}..${max}`;
  }
  if (indexHash !== null) headers[PIN_HEADERS.indexHash] = indexHash.join(", ");
  if (modelTag !== null) headers[PIN_HEADERS.modelTag] = modelTag.join(", ");
  return headers;
}
