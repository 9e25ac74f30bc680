import { z } from "zod";
import { LEASE_LIMITS, type RoutingDocument, type Stickiness } from "../core/routing/document.ts";
import type { RegionTarget } from "../core/routing/regions.ts";
import { armTarget } from "./arm-plan.ts";
import { segmentSource, shadowOrder, unitIdentity } from "./plan.ts";
import { coreBp, coreMs, count, type FieldsOf, servingArm } from "./wire.ts";

const text = z.string();

const region = z.strictObject({
  name: text,
  endpoints: z.array(text),
  ownBp: coreBp,
  isFit: z.boolean(),
  nearest: z.array(text),
} satisfies FieldsOf<RegionTarget>) satisfies z.ZodType<RegionTarget>;

const sticky = z.strictObject({
  hash: z.literal("v1"),
  seed: count,
  ttlMs: z.number().nonnegative(),
  key: text.exactOptional(),
  cookie: text.exactOptional(),
} satisfies FieldsOf<Stickiness>);

/** What `GET /v1/routing/{service}` answers, and the data of each event of its stream. */
export const routingDocument = z.strictObject({
  version: z.union([z.literal(1), z.literal(2)]),
  service: text,
  epoch: count,
  seq: count,
  rolloutId: text.nullable(),
  arms: z.strictObject({ stable: armTarget, candidate: armTarget.nullable() }),
  candidateBp: coreBp,
  sticky,
  identity: unitIdentity,
  allow: z.array(text),
  closed: z.array(servingArm),
  drainMs: z.number().nonnegative(),
  issuedAt: coreMs,
  segments: z.array(segmentSource).exactOptional(),
  shadow: shadowOrder.exactOptional(),
  signals: z.array(text).exactOptional(),
  regions: z.array(region).exactOptional(),
  store: text.nullable().exactOptional(),
  region: z.null().exactOptional(),
  lease: z
    .strictObject({ ms: z.number().min(LEASE_LIMITS.minMs).max(LEASE_LIMITS.maxMs) })
    .nullable()
    .exactOptional(),
  override: text.nullable().exactOptional(),
  end: z.null().exactOptional(),
  kid: text.nullable().exactOptional(),
  signature: text.nullable().exactOptional(),
  succession: z.array(z.strictObject({ key: text, by: text, signature: text })).exactOptional(),
} satisfies FieldsOf<RoutingDocument>) satisfies z.ZodType<RoutingDocument>;
