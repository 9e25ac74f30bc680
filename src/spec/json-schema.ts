import { z } from "zod";
import { rolloutSchema } from "./rollout-schema.ts";

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
export function documentSchemas(): Readonly<Record<string, unknown>> {
  return { "rollout.schema.json": jsonSchemaOf("Sluice rollout", rolloutSchema, "input") };
}
