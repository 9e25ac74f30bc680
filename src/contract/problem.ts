import { z } from "zod";
import type { Problem } from "../core/problem.ts";
import { count, type FieldsOf, type Wire } from "./wire.ts";

/** Codes of API problems and their status; clients switch on the code. */
export const PROBLEM_STATUS = {
  "bad-request": 400,
  unauthorized: 401,
  forbidden: 403,
  "not-found": 404,
  conflict: 409,
  "in-flight": 409,
  generation: 409,
  "no-gateway": 409,
  "target-unreachable": 409,
  "probes-unfit": 422,
  "too-large": 413,
  "invalid-document": 422,
  "key-reused": 422,
  "no-effect": 409,
  superseded: 409,
  "unknown-driver": 422,
  "internal-error": 500,
  "store-away": 503,
} as const;

export type ProblemCode = keyof typeof PROBLEM_STATUS;
const PROBLEM_CODES = Object.keys(PROBLEM_STATUS) as [ProblemCode, ...ProblemCode[]];

/** One thing wrong with a document. */
const problem = z.strictObject({
  code: z.string().describe("e.g. E112; the handbook has a section for each"),
  path: z.string().describe("inside the document, e.g. spec.strategy.canary.steps[1].weight"),
  at: z.strictObject({ line: count, column: count }).exactOptional().describe("1-based; absent without a text"),
  message: z.string(),
  fix: z.string().exactOptional(),
} satisfies FieldsOf<Problem>) satisfies z.ZodType<Problem>;

/** The body of every refusal. @source RFC 9457, "Problem Details for HTTP APIs" */
export const problemAnswer = z.strictObject({
  type: z.string().describe("urn:sluice:problem: and the title"),
  title: z.enum(PROBLEM_CODES).describe("the code to switch on"),
  status: z.int().min(400).max(599),
  detail: z.string().describe("what was found, what was expected and what to do"),
  problems: z.array(problem).exactOptional().describe("of a document, when the document was at fault"),
});

export type ProblemAnswer = Wire<typeof problemAnswer>;
