import type { OrderOf } from "../process/order.ts";
import type { CheckName, LiveCheck } from "./checks.ts";

/** Ask one check of the regions named. It only reads; its verdict is the result. */
export type CheckRegionOrder = OrderOf<
  "region",
  "check",
  { readonly check: CheckName; readonly of: readonly string[]; readonly since: "start" | "end" }
>;

/**
 * No effect is begun anywhere; done when the last leave to begin one is over. What arrives meanwhile is queued by who
 * got it. Lifts itself after `forMs`, so that a controller that dies meanwhile stops nobody for ever.
 */
export type FreezeWritesOrder = OrderOf<"region", "freeze", { readonly forMs: number }>;

export type UnfreezeWritesOrder = OrderOf<"region", "unfreeze", Record<string, never>>;

/** One region alone begins effects from now on; done when the last leave of every other one is over. */
export type PromoteRegionOrder = OrderOf<"region", "promote", { readonly to: string }>;

/**
 * Data planes give `region` this share of its own users; the others are served elsewhere. Under a new epoch. Done when
 * it is stored, and where `isConfirmed`, when every data plane serves it.
 */
export type RouteRegionOrder = OrderOf<
  "region",
  "route",
  { readonly region: string; readonly ownBp: number; readonly isConfirmed: boolean }
>;

/** Every data plane serves the document in force. */
export type AdoptedOrder = OrderOf<"region", "adopted", Record<string, never>>;

/** Ask live checks of the region that serves, again and again for so long; the first that fails ends it. */
export type ObserveRegionOrder = OrderOf<
  "region",
  "observe",
  { readonly checks: readonly LiveCheck[]; readonly region: string; readonly against: string; readonly forMs: number }
>;

/** A region is ready and states the contract that another one stated at the start, at every look for so long. */
export type SteadyRegionOrder = OrderOf<
  "region",
  "steady",
  { readonly region: string; readonly like: string; readonly forMs: number }
>;

/** Rebuild the index of a region; done when its health states the hash that the other one stated at the start. */
export type RebuildRegionOrder = OrderOf<"region", "rebuild", { readonly region: string; readonly like: string }>;

/** Nothing is cached in a region; done when reading finds nothing. */
export type PurgeRegionOrder = OrderOf<"region", "purge", { readonly region: string }>;

/** Measure how it is before anything moves: what later checks are held against. It only reads. */
export type BaselineOrder = OrderOf<"region", "baseline", Record<string, never>>;

/** The plan's fault is applied in the region that is evacuated; done when its agent says that it is in force. */
export type ApplyFaultOrder = OrderOf<"fault", "apply", Record<string, never>>;

/** It is over; done when its agent says so. */
export type RevertFaultOrder = OrderOf<"fault", "revert", Record<string, never>>;

/** Done when this check of this region does not pass: a fault that nobody notices rehearses nothing. */
export type NoticeFaultOrder = OrderOf<
  "fault",
  "notice",
  { readonly check: CheckName; readonly of: readonly string[] }
>;

/** Everything that a drill asks for. */
export type DrillOrder =
  | BaselineOrder
  | CheckRegionOrder
  | FreezeWritesOrder
  | UnfreezeWritesOrder
  | PromoteRegionOrder
  | RouteRegionOrder
  | AdoptedOrder
  | ObserveRegionOrder
  | SteadyRegionOrder
  | RebuildRegionOrder
  | PurgeRegionOrder
  | ApplyFaultOrder
  | RevertFaultOrder
  | NoticeFaultOrder;
