import { z } from "zod";
import { CHECK_NAMES, type CheckName, LIVE_CHECKS } from "../core/drill/checks.ts";
import type {
  CheckRegionOrder,
  FreezeWritesOrder,
  NoticeFaultOrder,
  ObserveRegionOrder,
  PromoteRegionOrder,
  PurgeRegionOrder,
  RebuildRegionOrder,
  RouteRegionOrder,
  SteadyRegionOrder,
} from "../core/drill/order.ts";
import { count, type FieldsOf } from "./wire.ts";

const region = z.string().min(1);
const checkName = z.enum(CHECK_NAMES as [CheckName, ...CheckName[]]);

/** What `region.check` takes. */
export const checking = z.strictObject({
  check: checkName,
  of: z.array(region),
  since: z.enum(["start", "end"]),
} satisfies FieldsOf<CheckRegionOrder["args"]>) satisfies z.ZodType<CheckRegionOrder["args"]>;

/** What `region.freeze` takes. */
export const freezingWrites = z.strictObject({
  forMs: count,
} satisfies FieldsOf<FreezeWritesOrder["args"]>) satisfies z.ZodType<FreezeWritesOrder["args"]>;

/** What `region.promote` takes. */
export const promoting = z.strictObject({
  to: region,
} satisfies FieldsOf<PromoteRegionOrder["args"]>) satisfies z.ZodType<PromoteRegionOrder["args"]>;

/** What `region.route` takes. */
export const routing = z.strictObject({
  region,
  ownBp: z.int().min(0).max(10_000),
  isConfirmed: z.boolean(),
} satisfies FieldsOf<RouteRegionOrder["args"]>) satisfies z.ZodType<RouteRegionOrder["args"]>;

/** What `region.observe` takes. */
export const observing = z.strictObject({
  checks: z.array(z.enum(LIVE_CHECKS)),
  region,
  against: region,
  forMs: count,
} satisfies FieldsOf<ObserveRegionOrder["args"]>) satisfies z.ZodType<ObserveRegionOrder["args"]>;

/** What `region.steady` takes. */
export const steadying = z.strictObject({
  region,
  like: region,
  forMs: count,
} satisfies FieldsOf<SteadyRegionOrder["args"]>) satisfies z.ZodType<SteadyRegionOrder["args"]>;

/** What `region.rebuild` takes. */
export const rebuilding = z.strictObject({
  region,
  like: region,
} satisfies FieldsOf<RebuildRegionOrder["args"]>) satisfies z.ZodType<RebuildRegionOrder["args"]>;

/** What `region.purge` takes. */
export const purgingRegion = z.strictObject({
  region,
} satisfies FieldsOf<PurgeRegionOrder["args"]>) satisfies z.ZodType<PurgeRegionOrder["args"]>;

/** What `fault.notice` takes. */
export const noticing = z.strictObject({
  check: checkName,
  of: z.array(region),
} satisfies FieldsOf<NoticeFaultOrder["args"]>) satisfies z.ZodType<NoticeFaultOrder["args"]>;
