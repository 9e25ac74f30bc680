import { z } from "zod";
import type { DrainQueueOrder, MoveConsumersOrder, SwitchProducersOrder } from "../core/cutover/order.ts";
import { type FieldsOf, servingArm } from "./wire.ts";

/** What `queue.drain` takes. */
export const draining = z.strictObject({
  arm: servingArm,
} satisfies FieldsOf<DrainQueueOrder["args"]>) satisfies z.ZodType<DrainQueueOrder["args"]>;

/** What `queue.move-consumers` takes. */
export const movingConsumers = z.strictObject({
  to: servingArm,
} satisfies FieldsOf<MoveConsumersOrder["args"]>) satisfies z.ZodType<MoveConsumersOrder["args"]>;

/** What `queue.switch-producers` takes. */
export const switchingProducers = z.strictObject({
  to: servingArm,
} satisfies FieldsOf<SwitchProducersOrder["args"]>) satisfies z.ZodType<SwitchProducersOrder["args"]>;
