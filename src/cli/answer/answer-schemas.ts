import { jsonSchemaOf } from "../../spec/json-schema.ts";
import { judgeAnswer } from "./judge-answer.ts";
import { planAnswer } from "./plan-answer.ts";
import { probeAnswer } from "./probe-answer.ts";
import { simulateAnswer } from "./simulate-answer.ts";

/** JSON Schemas (draft-07) of what commands print with `--json`, by file name under `schema/`. */
export function answerSchemas(): Readonly<Record<string, unknown>> {
  return {
    "judge.schema.json": jsonSchemaOf("Answer of sluice judge --json", judgeAnswer, "output"),
    "simulate.schema.json": jsonSchemaOf("One line of sluice simulate --json", simulateAnswer, "output"),
    "plan.schema.json": jsonSchemaOf("Answer of sluice plan --json", planAnswer, "output"),
    "probe.schema.json": jsonSchemaOf("Answer of sluice probe --json", probeAnswer, "output"),
  };
}
