export type { ServingArm } from "../core/arm.ts";
export { isHopByHop, isInternalHeader } from "../core/routing/headers.ts";
export type { Admission } from "../core/routing/admit.ts";
export type { ArmTarget, RoutingDocument, UnitIdentity } from "../core/routing/document.ts";
export {
  compileRouteTable,
  type Pin,
  type Route,
  type RouteReason,
  type RouteTable,
  type RouteTarget,
  route,
} from "../core/routing/route.ts";
export type { PinDifference, Pins, SchemaRefusal, Serves } from "../core/routing/schema-lock.ts";
export { type Identify, type Identity, identifyByTrustedHeaders, NOBODY } from "./identify.ts";
export type { LeaseGrant, PlaneReport } from "../core/routing/lease.ts";
export type { KnownKeys } from "../plane/key-ring.ts";
export type { LeaseAsk, LeaseClock } from "../plane/lease.ts";
export { createRouter, type RoutedRequest, type Router, type RouterOptions } from "./router.ts";
