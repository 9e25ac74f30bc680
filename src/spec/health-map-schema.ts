import { z } from "zod";
import { parsePointer } from "../core/json-pointer.ts";
import type { HealthMap, HealthReading } from "../core/release/health-map.ts";

const pointer = z
  .string()
  .refine((text) => parsePointer(text) !== null, 'expected a JSON pointer: begin with "/" and write "~" as "~0"');
const reading = z.union([pointer, z.strictObject({ value: z.string().max(1_000) })]);

/** A mapping of health answers: for each identity field the pointer to it, or a fixed value. */
export const healthMapSchema = z.strictObject({
  ready: z
    .union([pointer, z.strictObject({ read: pointer, is: z.union([z.string(), z.number(), z.boolean()]) })])
    .optional(),
  release_id: reading.optional(),
  INDEX_HASH: reading.optional(),
  METRIC: reading.optional(),
  ANALYZER: reading.optional(),
  EMBED_SCHEMA: reading.optional(),
  RERANK_CONF: reading.optional(),
  PROMPT_VER: reading.optional(),
  MODEL_VER: reading.optional(),
  SCHEMA_REV: z.union([reading, z.strictObject({ min: reading, max: reading })]).optional(),
  secrets_rev: reading.optional(),
  BUILD_TS: reading.optional(),
  revision: reading.optional(),
});

function planReading(found: z.infer<typeof reading>): HealthReading {
  return typeof found === "string" ? { pointer: found } : found;
}

export function planHealthMap(map: z.infer<typeof healthMapSchema>): HealthMap {
  const { ready, SCHEMA_REV: revision, ...fields } = map;
  const stated = Object.entries(fields).flatMap(([name, found]) =>
    found === undefined ? [] : [[name, planReading(found)] as const],
  );
  const isRange = typeof revision === "object" && "min" in revision;
  const ends = isRange ? revision : revision === undefined ? null : { min: revision, max: revision };
  return {
    ready:
      ready === undefined
        ? null
        : typeof ready === "string"
          ? { pointer: ready }
          : { pointer: ready.read, is: ready.is },
    fields: Object.fromEntries(stated),
    schemaRev: ends === null ? null : { min: planReading(ends.min), max: planReading(ends.max) },
  };
}
