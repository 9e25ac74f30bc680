import { z } from "zod";
import { rolloutSchema } from "./rollout-schema.ts";

/**
 * JSON Schemas (draft-07, which editors read) of the documents users write, by file name under `schema/`. Rules between
 * fields and the text of durations are beyond JSON Schema; `sluice validate` checks everything.
 */
export function documentSchemas(): Readonly<Record<string, unknown>> {
  const rollout = z.toJSONSchema(rolloutSchema, { target: "draft-7", io: "input" });
  return { "rollout.schema.json": { title: "Sluice rollout", ...rollout } };
}
