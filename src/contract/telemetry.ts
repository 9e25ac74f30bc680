import { z } from "zod";
import { LEASE_LIMITS } from "../core/routing/document.ts";
import type { LeaseGrant, PlaneReport } from "../core/routing/lease.ts";
import { telemetryWindow } from "./window.ts";
import { count, type FieldsOf, type Wire } from "./wire.ts";

const WINDOWS_MAX = 500;

/** The next document is numbered above what is reported here, and has to stay an exact number. */
const EPOCH_MAX = 2 ** 52;

/** What a data plane of version 2 says of itself. Later versions may say more. */
const plane = z.object({
  version: z.int().min(2).max(1_000),
  id: z.string().min(1).max(200),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  nonce: z.string().min(16).max(200),
  number: count.optional(),
  start: z.string().min(16).max(200).optional(),
  leaseLeftMs: z.number().min(0).max(LEASE_LIMITS.maxMs),
  override: z.literal("stable").nullable(),
  refused: z.object({ epoch: count, seq: count, reason: z.string().max(2_000) }).nullable(),
  isLeaving: z.boolean(),
  acceptsUnsigned: z.boolean().optional(),
  region: z.string().min(1).max(64).optional(),
} satisfies FieldsOf<PlaneReport>) satisfies z.ZodType<PlaneReport>;

/** The push around its windows, which `admitWindow` reads one by one: their counts must fit each other. */
export const pushFrame = z.strictObject({
  gateway_id: z.string().min(1).max(200),
  windows: z.array(z.unknown()).min(1).max(WINDOWS_MAX),
  /** The document the gateway routes by; left out by a service that only reports what it counts. */
  adopted: z.strictObject({ epoch: z.int().min(0).max(EPOCH_MAX), seq: z.int().min(0) }).optional(),
  plane: plane.optional(),
});

/** The body of `POST /v1/telemetry`: windows of one gateway and one service, in order. */
export const pushBody = pushFrame.extend({ windows: z.array(telemetryWindow).min(1).max(WINDOWS_MAX) });

const lease = z.strictObject({
  store: z.string(),
  owner: count,
  epoch: count,
  seq: count,
  digest: z.string(),
  ms: z.number().positive(),
  proof: z.string().describe("made with the credential of the report"),
  kid: z.string().exactOptional(),
  signature: z.string().exactOptional().describe("by the controller's key; absent from one that signs nothing"),
} satisfies FieldsOf<LeaseGrant>) satisfies z.ZodType<LeaseGrant>;

/** What `POST /v1/telemetry` answers, once the windows are durable. */
export const pushAnswer = z.strictObject({
  acked: count.describe("highest sequence number taken in"),
  lease: lease.nullable().describe("it runs from the moment the report was sent; null: none"),
});

export type PushAnswer = Wire<typeof pushAnswer>;
