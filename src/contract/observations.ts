import { z } from "zod";
import type { Observations, TrafficTotals } from "../core/observe/observations.ts";
import type { Stretch, WorstWindows } from "../core/observe/worst-window.ts";
import type { TrafficRate } from "../core/pace/traffic-rate.ts";
import type { Manifest } from "../core/release/manifest.ts";
import { armWindow, shadowWindow } from "./window.ts";
import { coreMs, count, countByArm, countByName, documentNumber, type FieldsOf } from "./wire.ts";

const text = z.string();

const manifest = z.strictObject({
  release_id: text,
  INDEX_HASH: text,
  METRIC: text,
  ANALYZER: text,
  EMBED_SCHEMA: text,
  RERANK_CONF: text,
  PROMPT_VER: text,
  MODEL_VER: text,
  SCHEMA_REV: z.strictObject({ min: text, max: text }),
  secrets_rev: text,
  BUILD_TS: text,
  revision: text.optional(),
} satisfies FieldsOf<Manifest>) satisfies z.ZodType<Manifest>;

const totals = z.strictObject({
  requests: countByArm,
  failures: countByArm,
  units: countByArm,
  classes: z.strictObject({ stable: countByName, candidate: countByName }).exactOptional(),
  cold: countByArm,
  gatewayFailures: count,
  shadow: shadowWindow.exactOptional(),
  lostWindows: count,
  latest: documentNumber.extend({ requests: countByArm, units: countByArm }).nullable(),
  firstCandidateAt: coreMs.nullable(),
  lastCandidateAt: coreMs.nullable(),
} satisfies FieldsOf<TrafficTotals>) satisfies z.ZodType<TrafficTotals>;

const armStretch = z.strictObject({ requests: count, failures: count, p95Ms: z.number().nullable() });

const stretch = z.strictObject({
  startMs: coreMs,
  endMs: coreMs,
  arms: z.strictObject({ stable: armStretch, candidate: armStretch }),
} satisfies FieldsOf<Stretch>);

const worst = z.strictObject({
  gathering: z
    .strictObject({ startMs: coreMs, arms: z.strictObject({ stable: armWindow, candidate: armWindow }) })
    .nullable(),
  failures: stretch.nullable(),
  latency: stretch.nullable(),
} satisfies FieldsOf<WorstWindows>) satisfies z.ZodType<WorstWindows>;

const rate = z.strictObject({
  sinceMs: coreMs.nullable(),
  requests: count,
  before: z.strictObject({ sinceMs: coreMs, requests: count }).nullable(),
  stable: z.strictObject({ total: count, failures: count }),
} satisfies FieldsOf<TrafficRate>) satisfies z.ZodType<TrafficRate>;

/** What a rollout has seen. */
export const observations = z.strictObject({
  evidence: z
    .strictObject({ states: z.record(text, z.unknown()), blocks: count, answeredAlone: count.exactOptional() })
    .describe("what the gates keep for themselves; of no promised form"),
  generation: count,
  judgedAfterEpoch: count,
  rate: rate.exactOptional(),
  cursors: z.record(text, count),
  livedAt: coreMs.exactOptional(),
  sinceEpoch: count.nullable(),
  totals,
  worst,
  pinned: z.strictObject({ stable: manifest, candidate: manifest }).nullable(),
} satisfies FieldsOf<Observations>) satisfies z.ZodType<Observations>;
