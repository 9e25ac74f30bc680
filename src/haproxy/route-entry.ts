import type { RouteTable } from "../core/routing/route.ts";
import { isProvisional } from "../core/routing/document.ts";
import type { Rendering } from "./rendering.ts";
import { slotsOf } from "./rendering.ts";

/** The key under which the one map entry stands. */
export const ROUTE_KEY = "route";

/**
 * How the proxy decides, as the value of one map entry, which it takes up between two requests and never in the middle
 * of one: document, slots of stable and candidate, threshold, who may serve, whether a lease is needed, share told.
 * @returns null when the rendering has no room for the document
 */
export function routeEntry(table: RouteTable, rendering: Rendering): string | null {
  const { document, choice, threshold, headerDoc, headerSplit } = table;
  const slots = slotsOf(document, rendering);
  if (slots === null) return null;
  const serves = choice.kind === "both" ? "both" : choice.target.arm;
  const lease = isProvisional(document) ? "needed" : "free";
  return [headerDoc, slots.stable, slots.candidate, threshold, serves, lease, headerSplit].join("|");
}
