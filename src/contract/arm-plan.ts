import { z } from "zod";
import type { HealthMap } from "../core/release/health-map.ts";
import type { ArmFacts } from "../core/routing/arm-facts.ts";
import type { ArmTarget } from "../core/routing/document.ts";
import type { Serves } from "../core/routing/schema-lock.ts";
import type { AccessPlan, AuthorizationPlan, SecretPlan } from "../core/stage/access-plan.ts";
import type { ArmPlan } from "../core/stage/plan.ts";
import type { FieldsOf } from "./wire.ts";

const text = z.string();
const file = z.string().nullable().describe("path on the controller's machine");

/** The name of a secret, never the secret. */
const secret = z.union([z.strictObject({ text }), z.strictObject({ file: text })]) satisfies z.ZodType<SecretPlan>;

const authorization = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("bearer"), token: secret }),
  z.strictObject({ kind: z.literal("basic"), user: text, password: secret }),
  z.strictObject({
    kind: z.literal("oauth"),
    tokenUrl: text,
    clientId: text,
    clientSecret: secret,
    scope: text.nullable(),
    audience: text.nullable(),
  } satisfies FieldsOf<Extract<AuthorizationPlan, { kind: "oauth" }>>),
]) satisfies z.ZodType<AuthorizationPlan>;

/** How the controller gets into a service: names of secrets, never the secrets. */
export const access = z.strictObject({
  headers: z.record(text, secret),
  authorization: authorization.nullable(),
  tls: z.strictObject({ ca: file, cert: file, key: file }).nullable(),
} satisfies FieldsOf<AccessPlan>) satisfies z.ZodType<AccessPlan>;

const reading = z.union([z.strictObject({ pointer: text }), z.strictObject({ value: text })]);

const healthMap = z.strictObject({
  ready: z
    .strictObject({ pointer: text, is: z.union([text, z.number(), z.boolean()]).exactOptional() })
    .nullable()
    .describe("null: an answer with status 200 is ready"),
  fields: z.strictObject({
    release_id: reading.exactOptional(),
    INDEX_HASH: reading.exactOptional(),
    METRIC: reading.exactOptional(),
    ANALYZER: reading.exactOptional(),
    EMBED_SCHEMA: reading.exactOptional(),
    RERANK_CONF: reading.exactOptional(),
    PROMPT_VER: reading.exactOptional(),
    MODEL_VER: reading.exactOptional(),
    secrets_rev: reading.exactOptional(),
    BUILD_TS: reading.exactOptional(),
    revision: reading.exactOptional(),
  } satisfies FieldsOf<HealthMap["fields"]>),
  schemaRev: z.strictObject({ min: reading, max: reading }).nullable(),
} satisfies FieldsOf<HealthMap>) satisfies z.ZodType<HealthMap>;

const serves = z.strictObject({
  schemaRev: z.strictObject({ min: text, max: text }).nullable(),
  indexHash: z.array(text).nullable(),
  modelTag: z.array(text).nullable(),
} satisfies FieldsOf<Serves>) satisfies z.ZodType<Serves>;

const facts = z.strictObject({
  revision: text.exactOptional(),
  indexHash: text.exactOptional(),
  metric: text.exactOptional(),
  analyzer: text.exactOptional(),
  deltaS: z.number().exactOptional(),
  coverage: z.number().exactOptional(),
  lambdaState: text.exactOptional(),
} satisfies FieldsOf<ArmFacts>) satisfies z.ZodType<ArmFacts>;

/** Where one arm is served and what separates its caches from the other arm's. */
export const armTarget = z.strictObject({
  releaseId: text,
  endpoints: z.array(text).describe("origins with scheme, host and port"),
  cachePrefix: text,
  serves: serves.exactOptional().describe("pins it serves; absent: everything"),
  facts: facts.exactOptional().describe("for events and metrics alone"),
} satisfies FieldsOf<ArmTarget>) satisfies z.ZodType<ArmTarget>;

/** What one arm of a plan is. */
export const armPlan = armTarget.extend({
  url: text.exactOptional().describe("missing in plans of an older version"),
  healthUrl: text.nullable(),
  answerUrl: text.nullable().describe("where probes ask; null without probes"),
  access: access.exactOptional(),
  healthMap: healthMap.exactOptional(),
} satisfies FieldsOf<Omit<ArmPlan, keyof ArmTarget>>) satisfies z.ZodType<ArmPlan>;
