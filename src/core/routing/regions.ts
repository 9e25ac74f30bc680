import type { ByArm } from "../arm.ts";
import { canonicalJson, type Json } from "../canonical-json.ts";
import { type Bp, BP_ALL, BP_NONE } from "../unit.ts";
import type { ArmTarget, RoutingDocument } from "./document.ts";
import type { ShapeReader } from "./shape.ts";

/** One region of a service, as every data plane of it is told. */
export interface RegionTarget {
  readonly name: string;
  /** Origins, as those of an arm. */
  readonly endpoints: readonly string[];
  /**
   * Share of the units that arrive in this region which it serves itself; the others are served by the nearest region
   * in service. 0: it is evacuated, and stays so until a newer epoch says otherwise.
   */
  readonly ownBp: Bp;
  /** Ready, and states the contract that is asked for: not merely 200. Only then it takes users of other regions. */
  readonly isFit: boolean;
  /** Other regions, the nearest first. */
  readonly nearest: readonly string[];
}

/** Regions of a service. All data planes get the same list under one epoch, so that none has to hear of another. */
export type Regions = readonly RegionTarget[];

export const REGION_LIMITS = { count: 16, name: 64 } as const;
export const REGION_NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** Which region answers behind each arm; null where the document tells none apart. */
export type RegionPlaces = ByArm<string | null>;

const NOWHERE: RegionPlaces = { stable: null, candidate: null };

/** Whether a region serves everybody who arrives there, and whoever arrives elsewhere and is sent to it. */
const isInService = ({ ownBp, isFit }: RegionTarget): boolean => ownBp === BP_ALL && isFit;

/** The region that serves whom `from` does not serve itself: its nearest in service, else any that is. */
function nearestInService(regions: Regions, from: RegionTarget | null): RegionTarget | null {
  const near = (from?.nearest ?? []).map((name) => regions.find((one) => one.name === name));
  const inOrder = [...near.filter((one) => one !== undefined), ...regions];
  return inOrder.find((one) => one.name !== from?.name && isInService(one)) ?? null;
}

/**
 * The document as a data plane in `region` reads it, with the regions behind its arms. Stable is the region that
 * serves; while a region gets its own users back by shares, it is the candidate, so that they move one way, sticky and
 * counted apart, as those of any share. The document itself where it has no regions.
 * @param region where the data plane stands; null or unknown: it is sent to the first region in service
 */
export function regionView(
  document: RoutingDocument,
  region: string | null,
): { readonly document: RoutingDocument; readonly places: RegionPlaces } {
  const { regions } = document;
  if (regions === undefined) return { document, places: NOWHERE };
  const own = regions.find(({ name }) => name === region) ?? null;
  const other = nearestInService(regions, own);
  const [serving, returning] = servedBy(own, other);
  // Admission has refused a document without a region in service.
  if (serving === null) return { document, places: NOWHERE };
  const stable = targetOf(document.arms.stable, serving);
  const places = { stable: serving.name, candidate: returning?.name ?? null };
  if (returning === null) return { document: { ...document, arms: { ...document.arms, stable } }, places };
  const candidate = targetOf(document.arms.stable, returning);
  // Nobody chooses a region: neither a list nor a pin meant for a rollout's candidate.
  const view = { ...document, arms: { stable, candidate }, candidateBp: returning.ownBp, allow: [], closed: [] };
  return { document: view, places };
}

function servedBy(
  own: RegionTarget | null,
  other: RegionTarget | null,
): readonly [serving: RegionTarget | null, returning: RegionTarget | null] {
  if (own === null || other === null) return [own ?? other, null];
  if (own.ownBp === BP_ALL) return [own, null];
  return [other, own.ownBp === BP_NONE ? null : own];
}

/** The name tells a release in two regions apart where requests are counted. */
function targetOf(arm: ArmTarget, { name, endpoints }: RegionTarget): ArmTarget {
  return { ...arm, releaseId: `${arm.releaseId}@${name}`, endpoints };
}

/** A region moves users under an epoch of its own alone: evacuated is sticky, whatever else is published. */
export function sameRegions(left: RoutingDocument, right: RoutingDocument): boolean {
  const text = ({ regions = [] }: RoutingDocument) => canonicalJson(regions as unknown as Json);
  return text(left) === text(right);
}

/** Reads the regions of a document that arrived; what is wrong goes to `shape`. */
export function readRegions(
  shape: ShapeReader,
  json: unknown,
  endpoint: (value: unknown, path: string) => string,
  endpointsMax: number,
): Regions {
  const name = (value: unknown, path: string) =>
    shape.text(value, path, REGION_LIMITS.name, REGION_NAME, "lower-case letters, digits and -");
  const regions = shape.list(json, "regions", { min: 1, max: REGION_LIMITS.count }, (value, path): RegionTarget => {
    const fields = shape.object(value, path, ["name", "endpoints", "ownBp", "isFit", "nearest"]);
    return {
      name: name(fields?.name, `${path}.name`),
      endpoints: shape.list(fields?.endpoints, `${path}.endpoints`, { min: 1, max: endpointsMax }, endpoint),
      ownBp: shape.integer(fields?.ownBp, `${path}.ownBp`, BP_ALL) as Bp,
      isFit: readBoolean(shape, fields?.isFit, `${path}.isFit`),
      nearest: shape.list(fields?.nearest, `${path}.nearest`, { min: 0, max: REGION_LIMITS.count }, name),
    };
  });
  shape.unique(
    regions.map((one) => one.name),
    "regions",
  );
  return regions;
}

function readBoolean(shape: ShapeReader, value: unknown, path: string): boolean {
  if (typeof value !== "boolean") shape.refuse(path, "expected true or false");
  return value === true;
}

/** Rules between a document's regions and the rest of it. */
export function checkRegions(shape: ShapeReader, { regions, arms, shadow }: RoutingDocument): void {
  if (regions === undefined) return;
  const known = regions.map(({ name }) => name);
  for (const [place, { name, nearest }] of regions.entries()) {
    const foreign = nearest.find((one) => one === name || !known.includes(one));
    if (foreign !== undefined) {
      const expected = "expected other regions of this document";
      shape.refuse(`regions[${place}].nearest`, `found "${foreign}", ${expected}`);
    }
  }
  if (!regions.some(isInService)) shape.refuse("regions", "no region is in service, expected one with ownBp 10000");
  const isReturning = regions.some(({ ownBp }) => ownBp > BP_NONE && ownBp < BP_ALL);
  if (isReturning && (arms.candidate !== null || shadow !== undefined)) {
    shape.refuse("regions", "a region gets users back by shares while there is a candidate; expected one of the two");
  }
}
