import { z } from "zod";
import type { ObservedManifest } from "../../../core/release/manifest.ts";
import { type Pointer, parsePointer, readPointer } from "../../../core/json-pointer.ts";
import { type HealthMap, type HealthReading, NOT_STATED } from "../../../core/release/health-map.ts";

const text = z.string().max(1_000);

/** Health answer of a service. Other fields are allowed and left out: only the identity is read. */
const healthAnswer = z.object({
  ready: z.boolean(),
  release_id: text,
  INDEX_HASH: text,
  METRIC: text,
  ANALYZER: text,
  EMBED_SCHEMA: text,
  RERANK_CONF: text,
  PROMPT_VER: text,
  MODEL_VER: text,
  SCHEMA_REV: z.object({ min: text, max: text }),
  secrets_rev: text,
  BUILD_TS: text,
  revision: text.optional(),
});

/** What each field looks like, for the one who has to write it. */
const SHAPES: Readonly<Record<string, string>> = {
  ready: "true or false",
  SCHEMA_REV: '{"min":"sc-1","max":"sc-1"}',
};

/** What a health answer says, or why it says nothing. Never throws. */
export function observed(status: number, body: string, map: HealthMap | null): ObservedManifest {
  if (status !== 200) return { kind: "unreadable", reason: `status ${status}, expected 200` };
  const parsedBody = parseJson(body);
  if (parsedBody === undefined && map?.ready !== null) {
    return { kind: "unreadable", reason: `not JSON: ${body.slice(0, 80).replaceAll(/\s+/g, " ")}` };
  }
  const nowhere: string[] = [];
  const value = map === null ? parsedBody : mapped(parsedBody, map, nowhere);
  const [first] = nowhere;
  if (first !== undefined) return { kind: "unreadable", reason: `healthMap: ${nowhere.join("; ")}` };
  const parsed = healthAnswer.safeParse(value);
  if (!parsed.success) {
    const faults = new Map(parsed.error.issues.map(({ path }) => [String(path[0] ?? ""), path]));
    const told = [...faults].map(([field]) => faultOf(field, value)).join("; ");
    return { kind: "unreadable", reason: `not a health answer of the documented shape: ${told}` };
  }
  const { ready, ...manifest } = parsed.data;
  return ready ? { kind: "read", manifest } : { kind: "unreadable", reason: "the service says it is not ready" };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** `SCHEMA_REV is "sc-1", expected {"min":"sc-1","max":"sc-1"}`. */
function faultOf(field: string, answer: unknown): string {
  if (field === "") return `the whole answer is ${shown(answer)}, expected an object`;
  const value = (answer as Record<string, unknown>)[field];
  const expected = SHAPES[field] ?? "a text";
  return value === undefined
    ? `${field} is missing, expected ${expected}`
    : `${field} is ${shown(value)}, expected ${expected}`;
}

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? "nothing";
  return json.length > 60 ? `${json.slice(0, 57)}...` : json;
}

const FIELDS = [
  "release_id",
  "INDEX_HASH",
  "METRIC",
  "ANALYZER",
  "EMBED_SCHEMA",
  "RERANK_CONF",
  "PROMPT_VER",
  "MODEL_VER",
  "secrets_rev",
  "BUILD_TS",
] as const;

const MEMBERS_SHOWN = 8;

function whatIsThere(answer: unknown): string {
  if (typeof answer !== "object" || answer === null || Array.isArray(answer)) return "";
  return `: the answer has ${Object.keys(answer).slice(0, MEMBERS_SHOWN).join(", ") || "no members"}`;
}

/** An answer of another shape as the documented one; pointers that lead nowhere are added to `nowhere`. */
function mapped(answer: unknown, map: HealthMap, nowhere: string[]): unknown {
  const at = (pointer: string, field: string): unknown => {
    const found = readPointer(answer, pointerOf(pointer));
    if (found === undefined) nowhere.push(`pointer ${pointer} (${field}) leads nowhere${whatIsThere(answer)}`);
    return found;
  };
  const read = (reading: HealthReading | undefined, field: string): unknown => {
    if (reading === undefined) return NOT_STATED;
    if ("value" in reading) return reading.value;
    const found = at(reading.pointer, field);
    return typeof found === "number" || typeof found === "boolean" ? String(found) : found;
  };
  const fields = FIELDS.map((field) => [field, read(map.fields[field], field)] as const);
  const revision = map.fields.revision === undefined ? {} : { revision: read(map.fields.revision, "revision") };
  return { ready: readyOf(map, at), ...Object.fromEntries(fields), ...revision, SCHEMA_REV: revisionOf(map, read) };
}

function readyOf({ ready }: HealthMap, at: (pointer: string, field: string) => unknown): unknown {
  if (ready === null) return true;
  const found = at(ready.pointer, "ready");
  return ready.is === undefined ? found : found === ready.is;
}

function revisionOf(
  { schemaRev }: HealthMap,
  read: (reading: HealthReading | undefined, field: string) => unknown,
): unknown {
  if (schemaRev === null) return { min: NOT_STATED, max: NOT_STATED };
  const [min, max] = [read(schemaRev.min, "SCHEMA_REV"), read(schemaRev.max, "SCHEMA_REV")];
  return typeof min === "object" && min !== null ? min : { min, max };
}

function pointerOf(text: string): Pointer {
  return parsePointer(text) ?? [];
}
