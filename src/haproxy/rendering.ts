import type { ServingArm } from "../core/arm.ts";
import { unitHeadersOf } from "../core/assign/unit-header.ts";
import type { ArmTarget, RoutingDocument } from "../core/routing/document.ts";

/** Where the two releases of a rendering stand, whatever arm each of them is. */
export const SLOTS = ["a", "b"] as const;
export type Slot = (typeof SLOTS)[number];

/** What of a document stands in the configuration, so that another one needs a reload; all else is one map entry. */
export interface Rendering {
  readonly slots: { readonly a: ArmTarget; readonly b: ArmTarget | null };
  readonly seed: number;
  readonly unitHeaders: readonly string[];
  readonly allow: readonly string[];
  readonly drainMs: number;
  /** How often the lease is asked for, and how long an answer may take, each in milliseconds. */
  readonly checkMs: number;
}

const CHECK_MS = { min: 50, max: 500, perLease: 10 } as const;

/** Makes room for a document's releases: stable in the first slot. */
export function renderingOf(document: RoutingDocument): Rendering {
  const { arms, sticky, identity, allow, drainMs, lease } = document;
  const asked = (lease?.ms ?? CHECK_MS.perLease * CHECK_MS.max) / CHECK_MS.perLease;
  return {
    slots: { a: arms.stable, b: arms.candidate },
    seed: sticky.seed,
    unitHeaders: unitHeadersOf(identity),
    allow,
    drainMs,
    checkMs: Math.round(Math.min(CHECK_MS.max, Math.max(CHECK_MS.min, asked))),
  };
}

/** The slot of each arm of a document; null where the rendering has no room for it. */
export function slotsOf(
  document: RoutingDocument,
  rendering: Rendering,
): Readonly<Record<ServingArm, Slot | "-">> | null {
  const wanted = renderingOf(document);
  const asText = ({ seed, unitHeaders, allow, drainMs, checkMs }: Rendering) =>
    JSON.stringify([seed, unitHeaders, allow, drainMs, checkMs]);
  if (asText(wanted) !== asText(rendering)) return null;
  const slotOf = (target: ArmTarget): Slot | null =>
    SLOTS.find((slot) => isSame(rendering.slots[slot], target)) ?? null;
  const { stable, candidate } = document.arms;
  const ofStable = slotOf(stable);
  const ofCandidate = candidate === null ? "-" : slotOf(candidate);
  if (ofStable === null || ofCandidate === null || ofStable === ofCandidate) return null;
  return { stable: ofStable, candidate: ofCandidate };
}

function isSame(slot: ArmTarget | null, { releaseId, endpoints, cachePrefix }: ArmTarget): boolean {
  if (slot === null) return false;
  return slot.releaseId === releaseId && slot.cachePrefix === cachePrefix && slot.endpoints.join() === endpoints.join();
}

/** What of a document a proxy cannot do, as a sentence; null when it can do all of it. */
export function unservable({ arms, sticky, segments, shadow, regions }: RoutingDocument): string | null {
  const cannot = (what: string, advice: string) => `HAProxy cannot ${what}; ${advice}`;
  const both = [arms.stable, ...(arms.candidate === null ? [] : [arms.candidate])];
  if (sticky.cookie !== undefined)
    return cannot("sign the visitors' cookie", "name users by a header, or use driver: gateway");
  if (shadow !== undefined) return cannot("send copies of requests", "leave `shadow` out, or use driver: gateway");
  if (segments !== undefined) return cannot("tell segments apart", "leave `segments` out, or use driver: gateway");
  if (regions !== undefined) return cannot("serve regions", "leave them out, or use driver: gateway");
  if (both.some(({ serves }) => serves !== undefined))
    return cannot("look at schema pins", "leave the schema lock out, or use driver: gateway");
  const withPath = both.flatMap(({ endpoints }) => endpoints).find((endpoint) => new URL(endpoint).pathname !== "/");
  if (withPath !== undefined)
    return cannot(`put the path of ${withPath} before every request`, "name the origin alone, or use driver: gateway");
  return null;
}
