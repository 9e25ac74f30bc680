import { z } from "zod";
import { sentEvent } from "./events.ts";
import { openapi } from "./openapi.ts";
import { pushBody } from "./telemetry.ts";
import { statusAnswer } from "./status.ts";

function schemaOf(title: string, schema: z.ZodType): unknown {
  return { title, ...z.toJSONSchema(schema, { target: "draft-7", io: "input" }) };
}

/** What other programs read of the contract, by file name under `schema/`. */
export function contractSchemas(): Readonly<Record<string, unknown>> {
  return {
    "openapi.json": openapi(),
    "status.schema.json": schemaOf("Answer of sluice status ROLLOUT --json", statusAnswer),
    "event.schema.json": schemaOf("One line of sluice watch --json", sentEvent),
    "telemetry.schema.json": schemaOf("Body of POST /v1/telemetry", pushBody),
  };
}
