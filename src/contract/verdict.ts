import { z } from "zod";
import type { Verdict } from "../core/verdict.ts";
import { count, countByArm, type FieldsOf, interval, verdictKind } from "./wire.ts";

const estimate = z.number().nullable().describe("in the gate's unit; null when nothing was measured");
const samples = countByArm.describe("requests or questions behind the estimate");
const threshold = z.number().nullable().describe("limit or margin, in the unit of the estimate");
const alpha = z.number().nullable().describe("promised probability of a false fail; null for hard rules");
const eValue = z.number().nullable().describe("evidence for harm; the gate fails at 1/alpha");
const needs = z.string().nullable().describe("what would settle the question; null when settled");

/** A verdict as the journal keeps it. */
export const keptVerdict = z.strictObject({
  gate: z.string(),
  instance: z.string().exactOptional(),
  topic: z.string().exactOptional(),
  segment: z.string().exactOptional(),
  kind: verdictKind,
  condition: z.string().exactOptional(),
  estimate,
  interval: interval.nullable(),
  samples,
  threshold,
  alpha,
  eValue,
  reason: z.string(),
  needs,
} satisfies FieldsOf<Verdict>) satisfies z.ZodType<Verdict>;

/** A verdict as a status and `GET /v1/verdicts/{id}` tell it. */
export const verdictAnswer = z.strictObject({
  gate: z.string().describe("name, with its topic or instance: coverage[billing]"),
  verdict: verdictKind,
  condition: z.string().nullable().describe("code of the stop condition; null where none is met"),
  segment: z.string().exactOptional().describe("the users it is about; absent where it is about all"),
  estimate,
  interval: interval.nullable(),
  samples,
  threshold,
  alpha,
  e_value: eValue,
  reason: z.string(),
  needs,
});

/** A stretch of traffic worth looking at. */
const armStretch = z.strictObject({ requests: count, failures: count, p95_ms: z.number().nullable() });
export const stretch = z.strictObject({
  start_ms: z.number(),
  end_ms: z.number(),
  stable: armStretch,
  candidate: armStretch,
});
