import { z } from "zod";
import { type Pointer, parsePointer, writePointer } from "../core/json-pointer.ts";
import type { Problem } from "../core/problem.ts";
import { parseSource } from "../spec/source.ts";
import { checkShape } from "./shape-problems.ts";

const CODES = { missing: "E222", type: "E223", unknownKey: "E224", value: "E225" } as const;

const pointer = z
  .string()
  .refine((text) => parsePointer(text) !== null, 'is not a JSON pointer: begin with "/" and write "~" as "~0"');
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** What is sent under a name of the query string. */
const QUESTION_MEMBERS = ["question", "k", "seed", "probe"] as const;

function isPattern(text: string): boolean {
  try {
    new RegExp(text, "u");
    return true;
  } catch {
    return false;
  }
}

const pattern = z.string().max(500).refine(isPattern, "is not a regular expression");
const hasGroups = (text: string): boolean => text.includes("(?<doc>") && text.includes("(?<section>");
const referencePattern = pattern.refine(hasGroups, "needs the groups (?<doc>…) and (?<section>…)");

/**
 * The elements of a list that say what `where` asks for, each read at `read`; lists that are read so become one list.
 */
const each = z.strictObject({
  each: pointer,
  where: z.record(pointer, scalar).optional(),
  read: pointer.optional(),
});
const text = z.union([pointer, each.extend({ join: z.string().optional() })]);
const found = z.strictObject({ in: text, pattern: referencePattern });
const list = z.union([pointer, each, found]);
const member = z.union([pointer, z.strictObject({ value: z.string() }), z.strictObject({ read: pointer, pattern })]);
const flag = z.union([pointer, z.strictObject({ read: pointer, is: scalar }), z.strictObject({ in: text, pattern })]);

const mapSchema = z.strictObject({
  request: z.strictObject({
    method: z.enum(["POST", "GET", "PUT"]).optional(),
    /** Names of the query string, and what each carries. */
    query: z.record(z.string(), z.enum(QUESTION_MEMBERS)).optional(),
    /** What every request carries besides. */
    body: z.record(z.string(), z.json()).optional(),
    question: pointer.optional(),
    k: pointer.optional(),
    seed: pointer.optional(),
    probe: pointer.optional(),
  }),
  response: z.strictObject({
    /** How the body is read before pointers point into it; json when absent. */
    format: z.enum(["json", "text", "sse", "ndjson"]).optional(),
    answer: text,
    /** Absent: the service never says that it refused. */
    refused: flag.optional(),
    retrieved: list,
    /**
     * Inside one element of `retrieved`; an empty pointer is the element itself. Absent for patterns, which name both.
     */
    passage: z
      .strictObject({
        doc: member,
        section: member,
        /** Absent: the service returns ids alone, which is level L3. */
        text: member.optional(),
        start: pointer.optional(),
        end: pointer.optional(),
        rev: member.optional(),
      })
      .optional(),
    /** Absent: the service does not cite, and what it retrieved counts as cited. */
    citations: list.optional(),
    citation: z.strictObject({ doc: member, section: member }).optional(),
  }),
});

/** How a service that does not speak the default contract is asked and understood. */
export type TargetMap = z.infer<typeof mapSchema>;
export type TextReading = z.infer<typeof text>;
export type ListReading = z.infer<typeof list>;
export type MemberReading = z.infer<typeof member>;
export type FlagReading = z.infer<typeof flag>;

/** What a probe asks. */
export interface ProbeQuestion {
  readonly question: string;
  readonly k: number;
  /** Null where the service takes none. */
  readonly seed: number | null;
}

/** Reads a mapping file (YAML or JSON); every problem at once, with its place. */
export function readTargetMap(content: string): { readonly targetMap: TargetMap } | readonly Problem[] {
  const source = parseSource(content);
  if (!("value" in source)) return source.map((problem) => ({ ...problem, code: "E221" }));
  const checked = checkShape(mapSchema, source, CODES);
  if (!("value" in checked)) return checked;
  const problem = (path: readonly string[], message: string): Problem => ({
    code: "E226",
    path: path.join("."),
    at: source.locate(path),
    message,
  });
  const problems = [
    ...blockedPointers(checked.value).map((key) =>
      problem(["request", key], `request.${key} points into a value of request.body that has no members`),
    ),
    ...brokenRules(checked.value).map(([path, message]) => problem(path, message)),
  ];
  return problems.length > 0 ? problems : { targetMap: checked.value };
}

function blockedPointers({ request }: TargetMap): readonly string[] {
  return QUESTION_MEMBERS.filter((key) => {
    const place = request[key];
    return place !== undefined && writePointer(request.body ?? {}, pointerOf(place), 0) === null;
  });
}

/** Rules between the members of a mapping. */
function brokenRules({
  request,
  response,
}: TargetMap): readonly (readonly [path: readonly string[], message: string])[] {
  const isAsked = request.question !== undefined || Object.values(request.query ?? {}).includes("question");
  const hasBody = QUESTION_MEMBERS.some((key) => request[key] !== undefined) || request.body !== undefined;
  const needsShape = (reading: ListReading | undefined) =>
    reading !== undefined && !(typeof reading === "object" && "in" in reading);
  return [
    ...(isAsked
      ? []
      : [
          [
            ["request"],
            "the question is sent nowhere; name its place in the body as request.question, or in request.query",
          ] as const,
        ]),
    ...(request.method === "GET" && hasBody
      ? [[["request", "method"], "a GET has no body; put the question into request.query"] as const]
      : []),
    ...(needsShape(response.retrieved) && response.passage === undefined
      ? [
          [
            ["response", "retrieved"],
            "response.passage is missing: it says where an element has its doc and section",
          ] as const,
        ]
      : []),
    ...(needsShape(response.citations) && response.citation === undefined
      ? [
          [
            ["response", "citations"],
            "response.citation is missing: it says where an element has its doc and section",
          ] as const,
        ]
      : []),
  ];
}

/** The pointer a checked text is. */
export function pointerOf(pointerText: string): Pointer {
  return parsePointer(pointerText) ?? [];
}

/** A request as it is sent. */
export interface MappedRequest {
  readonly method: "POST" | "GET" | "PUT";
  readonly url: string;
  /** Null for a request without a body. */
  readonly body: unknown;
}

/**
 * The request of one question: the default contract's, or the mapped one.
 * @param probe whether the service is told that it is a probe, whose answer is nobody's to keep
 */
export function requestOf(
  address: string,
  question: ProbeQuestion,
  map: TargetMap | null,
  probe = true,
): MappedRequest {
  const values = { question: question.question, k: question.k, seed: question.seed, probe };
  if (map === null) return { method: "POST", url: address, body: values };
  const { method = "POST", query = {} } = map.request;
  const url = new URL(address);
  for (const [name, part] of Object.entries(query)) {
    const value = values[part];
    if (value !== null) url.searchParams.set(name, String(value));
  }
  let body: unknown = map.request.body ?? {};
  for (const key of QUESTION_MEMBERS) {
    const place = map.request[key];
    if (place !== undefined) body = writePointer(body, pointerOf(place), values[key])?.document ?? body;
  }
  return { method, url: Object.keys(query).length === 0 ? address : url.href, body: method === "GET" ? null : body };
}
