import type { RoutingDocument } from "../core/routing/document.ts";
import type { RouteTable } from "../core/routing/route.ts";
import type { ShadowOrder } from "../core/routing/shadow.ts";
import { shadowLabels } from "../core/routing/headers.ts";
import { ShadowSampler } from "../core/routing/shadow-copy.ts";
import type { ArmRoute } from "./routing-plan.ts";

/** Where copies of one document go, with everything that is the same for all of them. */
export interface ShadowRoute {
  readonly key: string;
  readonly order: ShadowOrder;
  readonly arm: ArmRoute;
  readonly sampler: ShadowSampler;
  /** Name, value, … for the candidate. */
  readonly labels: readonly string[];
}

/** Equal for documents that order the same copies of one candidate, whose pairs are alike; null for none. */
export function shadowKeyOf({ rolloutId, arms, shadow }: RoutingDocument): string | null {
  if (shadow === undefined || arms.candidate === null) return null;
  const { releaseId, cachePrefix, endpoints } = arms.candidate;
  return JSON.stringify([rolloutId, releaseId, cachePrefix, endpoints, shadow]);
}

/** Null where the document orders no copies, and where a lapsed lease or a person's word keeps to stable alone. */
export function shadowRoute(
  { choice, document }: RouteTable,
  candidate: ArmRoute | null,
  random: () => number,
): ShadowRoute | null {
  const { shadow: order } = document;
  if (order === undefined || candidate === null || choice.kind === "both" || choice.reason !== "shadow") return null;
  const labels = shadowLabels(candidate.cachePrefix, order.effects);
  return {
    key: shadowKeyOf(document) ?? "",
    order,
    arm: candidate,
    sampler: new ShadowSampler(order.shareBp, random),
    labels,
  };
}
