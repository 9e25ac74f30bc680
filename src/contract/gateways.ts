import { z } from "zod";
import type { Standing } from "../core/routing/confirm.ts";
import { documentNumber, type EveryOf, timeMs, type Wire } from "./wire.ts";

const standing = z.enum({
  served: "served",
  override: "override",
  "gone-stable": "gone-stable",
  waiting: "waiting",
} satisfies EveryOf<Standing>);

const gateway = z.strictObject({
  gateway_id: z.string(),
  service: z.string(),
  adopted: documentNumber.describe("the document its next request is routed by"),
  override: z.literal("stable").nullable().describe("a person told it to serve stable alone"),
  accepts_unsigned: z.boolean(),
  silent_ms: z.number().nonnegative().nullable().describe("null: not heard of since the controller started"),
  standing: standing.describe("gone-stable: its lease is over, so it serves stable by itself"),
  text: z.string(),
  candidate_left_ms: z
    .number()
    .nonnegative()
    .nullable()
    .describe("how long it may serve the candidate; null: until it hears of the document, for it needs no lease"),
});

const gone = z.strictObject({
  gateway_id: z.string(),
  plane_id: z.string(),
  service: z.string(),
  at: timeMs,
  why: z.enum(["left", "forgotten"]),
  by: z.string(),
  reason: z.string(),
});

/** What `GET /v1/gateways` answers: the data planes that count, and those that are gone. */
export const gatewaysAnswer = z.strictObject({ gateways: z.array(gateway), gone: z.array(gone) });

export const forgetBody = z.strictObject({ reason: z.string().min(1).max(1_000) });

/** What `POST /v1/gateways/{id}/forget` answers. */
export const forgetAnswer = z.strictObject({ gateway_id: z.string(), service: z.string() });

export type GatewaysAnswer = Wire<typeof gatewaysAnswer>;
export type ForgetAnswer = Wire<typeof forgetAnswer>;
