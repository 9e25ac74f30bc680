import type { ArmPlan } from "../stage/plan.ts";
import type { EpochMs } from "../unit.ts";

/** The only region until a service has several. */
export const REGION_DEFAULT = "default";

/** What a document says about stable, its URL normalised; compared with the pointer before anything is published. */
export interface StableClaim {
  readonly url: string;
  /** `release` of the document; null when it gives none. */
  readonly release: string | null;
}

/**
 * The one current release of a service in a region: what users have when no rollout runs. The service owns it, not a
 * document.
 * @source definitions.md §13
 */
export interface ServicePointer {
  readonly service: string;
  readonly region: string;
  /** Release as a document named it; null when none did. */
  readonly release: string | null;
  /** Release as its own health answer states it; null without a health contract. */
  readonly reported: string | null;
  /** Where it answers, normalised for comparison. */
  readonly url: string;
  /** The arm as the routing document has it as stable. */
  readonly arm: ArmPlan;
  /** Epoch of the routing document that made it current. */
  readonly epoch: number;
  /** What made it current: a rollout and its generation, or an operator's `adopt` without one. */
  readonly since: { readonly process: string; readonly generation: number | null; readonly at: EpochMs };
}

/** Every way a pointer can come to be where it is. */
export type PointerCause = "created" | "promoted" | "rolled-back" | "moved-address" | "adopted";

/** One entry of a pointer's history. `version` grows by one with each; it is the compare-and-set of the pointer. */
export interface PointerMove {
  readonly version: number;
  readonly cause: PointerCause;
  readonly by: string;
  readonly reason: string;
  readonly pointer: ServicePointer;
}

/**
 * Compares a claim with the pointer. `moved-address`: another URL whose health reports the pointer's release.
 * @param reported release that the claimed address reports now; null when it reports none
 */
export function judgeClaim(
  { url, release }: StableClaim,
  pointer: ServicePointer,
  reported: string | null,
): "holds" | "moved-address" | "differs" {
  const known = [pointer.release, pointer.reported].filter((name) => name !== null);
  if (release !== null && known.length > 0 && !known.includes(release)) return "differs";
  if (url === pointer.url) return "holds";
  return reported !== null && reported === pointer.reported ? "moved-address" : "differs";
}

/** The release as people call it: its own word first, then the document's, then where it answers. */
export function releaseName({ reported, release, url }: ServicePointer): string {
  return reported ?? release ?? url;
}
