import { z } from "zod";
import type { AskOrder, CompareOrder, RolloutOrder, Split } from "../core/rollout/order.ts";
import { tier } from "./plan.ts";
import { coreBp, count, type FieldsOf, servingArm } from "./wire.ts";

/** What `traffic.publish` takes. */
export const split = z.strictObject({
  candidateBp: coreBp,
  closed: z.array(servingArm),
  arms: z.enum(["both", "swap"]),
  shadow: z.literal(true).exactOptional(),
  newEpoch: z.boolean(),
} satisfies FieldsOf<Split>) satisfies z.ZodType<Split>;

/** What `probe.ask` takes. */
export const asking = z.strictObject({
  tier,
  extraRepeats: count,
} satisfies FieldsOf<AskOrder["args"]>) satisfies z.ZodType<AskOrder["args"]>;

/** What an order takes that says nothing beside its verb. */
export const nothing = z.strictObject({}) satisfies z.ZodType<CompareOrder["args"]>;

const common = { id: z.string(), withinMs: count };

/** Work that a rollout asked for. */
export const rolloutOrder = z.discriminatedUnion("port", [
  z.strictObject({ ...common, port: z.literal("traffic"), verb: z.literal("publish"), args: split }),
  z.strictObject({ ...common, port: z.literal("health"), verb: z.literal("compare"), args: nothing }),
  z.strictObject({ ...common, port: z.literal("probe"), verb: z.literal("ask"), args: asking }),
]) satisfies z.ZodType<RolloutOrder>;
