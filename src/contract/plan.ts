import { z } from "zod";
import type { GateSetting } from "../core/judge/setting.ts";
import type { ManifestField } from "../core/release/manifest.ts";
import type { SegmentSource } from "../core/routing/segments.ts";
import type { ShadowOrder } from "../core/routing/shadow.ts";
import type { MetricPlan, ProbePlan, RolloutPlan, ShadowStage, Stage, TrafficStage } from "../core/stage/plan.ts";
import { access, armPlan } from "./arm-plan.ts";
import { coreBp, count, type EveryOf, type FieldsOf } from "./wire.ts";

const text = z.string();
const ms = z.number().nonnegative();
const onCap = z.enum(["wait", "proceed"]);
export const tier = z.enum(["smoke", "full"]);

const stage = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("probes"), tier }),
  z.strictObject({
    kind: z.literal("shadow"),
    holdMs: ms,
    capMs: ms,
    onCap,
  } satisfies FieldsOf<ShadowStage>),
  z.strictObject({
    kind: z.literal("traffic"),
    candidateBp: coreBp,
    holdMs: ms,
    capMs: ms,
    onCap,
  } satisfies FieldsOf<TrafficStage>),
  z.strictObject({ kind: z.literal("watch"), holdMs: ms }),
]) satisfies z.ZodType<Stage>;

/** How requests are copied to the candidate. */
export const shadowOrder = z.strictObject({
  shareBp: coreBp,
  perSecond: count,
  inFlight: count,
  bodyBytes: count,
  timeoutMs: ms,
  methods: z.array(text),
  paths: z.array(text),
  headers: z.array(text),
  effects: z.enum(["deny", "allow"]),
} satisfies FieldsOf<ShadowOrder>) satisfies z.ZodType<ShadowOrder>;

/** How evidence tells users apart. */
export const segmentSource = z.strictObject({
  name: text,
  header: text.nullable(),
  show: z.boolean(),
} satisfies FieldsOf<SegmentSource>) satisfies z.ZodType<SegmentSource>;

/** How a data plane finds the user of a request. */
export const unitIdentity = z.strictObject({ trustedHeaders: z.array(text), stickyBy: z.array(text) });

const gateSetting = z.strictObject({
  gate: text,
  instance: text.exactOptional(),
  options: z.record(text, z.unknown()).describe("of the gate's kind, every default filled in"),
  source: text.describe("where it was asked for, e.g. preset default"),
  within: z.strictObject({ fromBp: coreBp, toBp: coreBp }).exactOptional(),
} satisfies FieldsOf<GateSetting>) satisfies z.ZodType<GateSetting>;

const manifestField = z.enum({
  release_id: "release_id",
  INDEX_HASH: "INDEX_HASH",
  METRIC: "METRIC",
  ANALYZER: "ANALYZER",
  EMBED_SCHEMA: "EMBED_SCHEMA",
  RERANK_CONF: "RERANK_CONF",
  PROMPT_VER: "PROMPT_VER",
  MODEL_VER: "MODEL_VER",
  SCHEMA_REV: "SCHEMA_REV",
  secrets_rev: "secrets_rev",
  BUILD_TS: "BUILD_TS",
} satisfies EveryOf<ManifestField>);

const probes = z.strictObject({
  set: text,
  goldDigest: text,
  k: count,
  repeats: count,
  map: text.nullable(),
  corpus: text.nullable(),
  embedder: text,
  concurrency: count,
  requestsPerSecond: z.number().nullable(),
} satisfies FieldsOf<ProbePlan>) satisfies z.ZodType<ProbePlan>;

const metric = {
  name: text,
  source: text,
  url: text,
  candidate: text,
  stable: text.nullable(),
  timestamp: text.nullable(),
  tokenFile: text.nullable(),
  access: access.exactOptional(),
  everyMs: ms,
  maxAgeMs: ms,
} satisfies FieldsOf<MetricPlan>;

/** What may be looked at of a plan: seed and key would let the reader sign visitors' cookies. */
export type ShownPlan = Omit<RolloutPlan, "sticky">;

/** A rollout as it is carried out: the document with every default filled in and every preset expanded. */
export const shownPlan = z.strictObject({
  rolloutId: text,
  generation: count,
  service: text,
  arms: z.strictObject({ stable: armPlan, candidate: armPlan }),
  stages: z.array(stage),
  pace: z
    .strictObject({
      harm: z.strictObject({ dead: z.number(), fourfoldErrors: z.number(), slower40: z.number() }),
      fastest: z.number(),
    })
    .exactOptional(),
  shadow: shadowOrder.exactOptional(),
  gates: z.array(gateSetting),
  onFail: z.strictObject({ to: z.enum(["stable", "previous-stage"]) }),
  changes: z.array(manifestField),
  identity: unitIdentity,
  allow: z.array(text),
  segments: z.array(segmentSource).exactOptional(),
  drainMs: ms,
  leaseMs: ms.nullable().exactOptional(),
  probes: probes.nullable(),
  metrics: z.array(z.strictObject(metric)),
  driver: text,
  rollbackWithinMs: ms,
  documentDigest: text,
  claim: z.strictObject({ url: text, release: text.nullable() }).nullable(),
  acceptedEpoch: count,
} satisfies FieldsOf<ShownPlan>);
