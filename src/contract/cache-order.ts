import { z } from "zod";
import type { PrimeCacheOrder, PurgeCacheOrder } from "../core/cutover/order.ts";
import { type FieldsOf, servingArm } from "./wire.ts";

/** What `cache.purge` takes. */
export const purging = z.strictObject({
  arm: servingArm,
} satisfies FieldsOf<PurgeCacheOrder["args"]>) satisfies z.ZodType<PurgeCacheOrder["args"]>;

/** What `cache.prime` takes. */
export const priming = z.strictObject({
  arm: servingArm,
} satisfies FieldsOf<PrimeCacheOrder["args"]>) satisfies z.ZodType<PrimeCacheOrder["args"]>;
