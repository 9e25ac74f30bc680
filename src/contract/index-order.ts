import { z } from "zod";
import type { CheckIndexOrder, FlipIndexOrder } from "../core/cutover/order.ts";
import { type FieldsOf, servingArm } from "./wire.ts";

/** What `index.check` takes. */
export const indexChecking = z.strictObject({
  arm: servingArm,
} satisfies FieldsOf<CheckIndexOrder["args"]>) satisfies z.ZodType<CheckIndexOrder["args"]>;

/** What `index.flip` takes. */
export const indexFlipping = z.strictObject({
  to: servingArm,
} satisfies FieldsOf<FlipIndexOrder["args"]>) satisfies z.ZodType<FlipIndexOrder["args"]>;
