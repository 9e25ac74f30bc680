import { z } from "zod";
import type { Problem } from "../core/problem.ts";
import { parseSource } from "../spec/source.ts";
import { type Pointer, parsePointer, readPointer, writePointer } from "../core/json-pointer.ts";
import { checkShape } from "./shape-problems.ts";

const CODES = { missing: "E222", type: "E223", unknownKey: "E224", value: "E225" } as const;

const pointer = z
  .string()
  .refine((text) => parsePointer(text) !== null, 'is not a JSON pointer: begin with "/" and write "~" as "~0"');

const mapSchema = z.strictObject({
  request: z.strictObject({
    /** What every request carries besides. */
    body: z.record(z.string(), z.json()).optional(),
    question: pointer,
    k: pointer.optional(),
    seed: pointer.optional(),
    probe: pointer.optional(),
  }),
  response: z.strictObject({
    answer: pointer,
    /** Absent: the service never says that it refused. */
    refused: pointer.optional(),
    retrieved: pointer,
    /** Pointers inside one element of `retrieved`; an empty text is the element itself. */
    passage: z.strictObject({
      doc: pointer,
      section: pointer,
      text: pointer,
      start: pointer.optional(),
      end: pointer.optional(),
      rev: pointer.optional(),
    }),
    citations: pointer,
    citation: z.strictObject({ doc: pointer, section: pointer }),
  }),
});

/** How a service that does not speak the default contract is asked and understood. */
export type TargetMap = z.infer<typeof mapSchema>;

/** What a probe asks. */
export interface ProbeQuestion {
  readonly question: string;
  readonly k: number;
  /** Null where the service takes none. */
  readonly seed: number | null;
}

/** Reads a mapping file (YAML or JSON); every problem at once, with its place. */
export function readTargetMap(text: string): { readonly targetMap: TargetMap } | readonly Problem[] {
  const source = parseSource(text);
  if (!("value" in source)) return source.map((problem) => ({ ...problem, code: "E221" }));
  const checked = checkShape(mapSchema, source, CODES);
  if (!("value" in checked)) return checked;
  const problems = blockedPointers(checked.value).map((key) => ({
    code: "E226",
    path: `request.${key}`,
    at: source.locate(["request", key]),
    message: `request.${key} points into a value of request.body that has no members`,
  }));
  return problems.length > 0 ? problems : { targetMap: checked.value };
}

const REQUEST_KEYS = ["question", "k", "seed", "probe"] as const;

function blockedPointers({ request }: TargetMap): readonly string[] {
  return REQUEST_KEYS.filter((key) => {
    const text = request[key];
    return text !== undefined && writePointer(request.body ?? {}, pointerOf(text), 0) === null;
  });
}

function pointerOf(text: string): Pointer {
  return parsePointer(text) ?? [];
}

/** The request's body: the default contract's, or the mapped one. */
export function requestBody(question: ProbeQuestion, map: TargetMap | null): unknown {
  const values = { question: question.question, k: question.k, seed: question.seed, probe: true };
  if (map === null) return values;
  let body: unknown = map.request.body ?? {};
  for (const key of REQUEST_KEYS) {
    const text = map.request[key];
    if (text !== undefined) body = writePointer(body, pointerOf(text), values[key])?.document ?? body;
  }
  return body;
}

/** A mapped body in the shape of the default contract; what is missing stays missing and breaks the contract there. */
export function mappedAnswer(body: unknown, { response }: TargetMap): unknown {
  const read = (value: unknown, text: string): unknown => readPointer(value, pointerOf(text));
  const readAll = (value: unknown, pointers: Readonly<Record<string, string | undefined>>): unknown => {
    const members = MEMBERS.flatMap((key) => {
      const text = pointers[key];
      if (text === undefined) return [[key, null] as const]; // The service has no such member.
      return [[key, IDS.has(key) ? asId(read(value, text)) : read(value, text)] as const];
    });
    return Object.fromEntries(members);
  };
  const list = (value: unknown, pointers: Readonly<Record<string, string | undefined>>): unknown => {
    return Array.isArray(value) ? value.map((element) => readAll(element, pointers)) : value;
  };
  return {
    answer: read(body, response.answer),
    refused: response.refused === undefined ? false : read(body, response.refused),
    retrieved: list(read(body, response.retrieved), response.passage),
    citations: list(read(body, response.citations), response.citation),
  };
}

const MEMBERS = ["doc", "section", "text", "start", "end", "rev"];
/** Members that name things; services number them as often as they spell them. */
const IDS: ReadonlySet<string> = new Set(["doc", "section", "rev"]);

function asId(value: unknown): unknown {
  return typeof value === "number" ? String(value) : value;
}
