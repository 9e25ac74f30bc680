import { z } from "zod";
import { GATE_NAMES } from "../core/judge/gates.ts";
import { optionsSchema } from "./gate-schema.ts";
import type { KnownDrivers } from "./known-drivers.ts";
import { gateEntry, metricSourceName, rolloutSchema, trafficDriverName } from "./rollout-schema.ts";

/**
 * The JSON Schema (draft-07, which editors read) of a schema.
 * @param io whether it describes what is read ("input": what has a default may be absent) or what is printed
 */
export function jsonSchemaOf(title: string, schema: z.ZodType, io: "input" | "output"): unknown {
  return { title, ...z.toJSONSchema(schema, { target: "draft-7", io }) };
}

/**
 * JSON Schemas of the documents users write, by file name under `schema/`. Rules between fields and the text of
 * durations are beyond JSON Schema; `sluice validate` checks everything.
 */
export function documentSchemas(drivers: KnownDrivers): Readonly<Record<string, unknown>> {
  const names = new Map<unknown, readonly string[]>([
    [metricSourceName, drivers.metrics.map(({ product }) => product)],
    [trafficDriverName, drivers.traffic],
  ]);
  const override = (at: { readonly zodSchema: unknown; readonly jsonSchema: z.core.JSONSchema.BaseSchema }) => {
    const known = names.get(at.zodSchema);
    if (known !== undefined) at.jsonSchema.enum = [...known];
    gateOptions(at);
  };
  const written = { ...z.toJSONSchema(rolloutSchema, { target: "draft-7", io: "input", override }) };
  return { "rollout.schema.json": { title: "Sluice rollout", ...written } };
}

/** Says of an entry that names a gate which options that gate has, as its own fields do. */
function gateOptions({
  zodSchema,
  jsonSchema,
}: {
  zodSchema: unknown;
  jsonSchema: z.core.JSONSchema.BaseSchema;
}): void {
  if (zodSchema !== gateEntry) return;
  const common = jsonSchema.properties ?? {};
  jsonSchema.allOf = GATE_NAMES.map((gate) => {
    const { properties = {} } = z.toJSONSchema(optionsSchema(gate), { target: "draft-7", io: "input" });
    const only = { properties: { ...common, ...properties }, additionalProperties: false };
    const names = { required: ["gate"], properties: { gate: { const: gate } } };
    return { anyOf: [{ not: names }, only] };
  });
}
