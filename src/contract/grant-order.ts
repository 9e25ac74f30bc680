import { z } from "zod";
import type { FreezeOrder, MoveGrantOrder } from "../core/cutover/order.ts";
import { count, type FieldsOf, servingArm } from "./wire.ts";

/** What `grant.freeze` takes. */
export const freezing = z.strictObject({
  forMs: count,
} satisfies FieldsOf<FreezeOrder["args"]>) satisfies z.ZodType<FreezeOrder["args"]>;

/** What `grant.move` takes. */
export const moving = z.strictObject({
  to: servingArm,
} satisfies FieldsOf<MoveGrantOrder["args"]>) satisfies z.ZodType<MoveGrantOrder["args"]>;
