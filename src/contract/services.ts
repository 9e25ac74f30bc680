import { z } from "zod";
import type { PointerCause } from "../core/service/pointer.ts";
import { armPlan } from "./arm-plan.ts";
import { phase } from "./status.ts";
import { count, documentNumber, type EveryOf, shareBp, timeMs, type Wire } from "./wire.ts";

const pointer = z.strictObject({
  service: z.string(),
  region: z.string(),
  release_id: z.string().describe("by the service's own word, else the document's, else where it answers"),
  url: z.string(),
  epoch: count.describe("of the routing document that made it current"),
  since: z.strictObject({
    process: z.string().describe("the rollout that made it current, or adopt"),
    generation: count.nullable(),
    at: timeMs,
  }),
});

const move = pointer.extend({
  cause: z.enum({
    created: "created",
    promoted: "promoted",
    "rolled-back": "rolled-back",
    "moved-address": "moved-address",
    adopted: "adopted",
  } satisfies EveryOf<PointerCause>),
  by: z.string(),
  reason: z.string(),
});

/** What `GET /v1/services` answers. */
export const servicesAnswer = z.strictObject({ services: z.array(pointer) });

/** What `GET /v1/services/{service}` answers. */
export const serviceAnswer = z.strictObject({
  service: z.string(),
  pointer: pointer.nullable().describe("null before its first split"),
  running: z.strictObject({ id: z.string(), phase }).nullable(),
  document: documentNumber.extend({ candidate_bp: shareBp }).nullable(),
  history: z.array(move).describe("oldest first"),
  gateways: z.array(z.strictObject({ gateway_id: z.string(), adopted: documentNumber })),
});

export const adoptBody = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).max(2_048),
  reason: z.string().min(1).max(1_000),
});

/** What `POST /v1/services/{service}/adopt` answers. `held`: the service is there already. */
export const adoptAnswer = pointer.extend({ outcome: z.enum(["adopted", "held"]) });

export const claimBody = z.strictObject({
  document: z.string().min(1),
  file: z.string().min(1).max(1_024),
  /** Ask both arms for their health too, from where the controller is; only for a token that may operate. */
  look: z.boolean().optional(),
});

/** What `POST /v1/claims` answers: the pointer a document's stable holds against; null for a service without one. */
export const claimAnswer = z.strictObject({
  pointer: pointer.extend({ arm: armPlan }).nullable(),
  unread: z.array(z.string()).describe("of each arm whose health it could not read, where it was asked to look"),
});

export type PointerAnswer = Wire<typeof pointer>;
export type MoveAnswer = Wire<typeof move>;
export type ServicesAnswer = Wire<typeof servicesAnswer>;
export type ServiceAnswer = Wire<typeof serviceAnswer>;
export type AdoptAnswer = Wire<typeof adoptAnswer>;
export type ClaimAnswer = Wire<typeof claimAnswer>;
