import { z } from "zod";
import type { ProbeAnswer } from "../core/measure/gold.ts";

const name = z.string().min(1);
/** Must be said; null when the service cannot tell. */
const offset = z.int().min(0).nullable();

const passage = z
  .object({
    doc: name,
    section: name,
    start: offset,
    end: offset,
    text: z.string(),
    score: z.number().nullish(),
    rev: name.nullish(),
  })
  .refine(({ start, end }) => ((start ?? null) === null) === ((end ?? null) === null), "has one of start and end")
  .refine(({ start, end }) => (start ?? 0) <= (end ?? Number.POSITIVE_INFINITY), "ends before it starts");

/** Answer of the default contract; further members are let through. @source contracts.md "Probe target" */
const answerSchema = z.object({
  answer: z.string(),
  refused: z.boolean(),
  retrieved: z.array(passage).max(1000),
  citations: z.array(z.object({ doc: name, section: name })).max(1000),
  timings_ms: z.record(z.string(), z.number()).nullish(),
});

/** An answer that keeps the contract, or what breaks it: the field, such as `retrieved[].doc`, and a clause. */
export type CheckedAnswer =
  | { readonly kind: "answer"; readonly answer: ProbeAnswer }
  | { readonly kind: "schema-violation"; readonly field: string; readonly detail: string };

/** "field `retrieved[].doc` is missing": without the place in a list, so that equal faults of many answers are one. */
function describeIssue(
  { path, message, ...issue }: z.core.$ZodIssue,
  body: unknown,
): { readonly field: string; readonly detail: string } {
  const name = path.reduce<string>((text, part) => {
    return typeof part === "number" ? `${text}[]` : `${text}${text === "" ? "" : "."}${String(part)}`;
  }, "");
  const subject = name === "" ? "the answer" : `field \`${name}\``;
  if (issue.code !== "invalid_type") return { field: name, detail: `${subject}: ${message}` };
  const found = path.reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown> | null)?.[part], body);
  if (found === undefined) return { field: name, detail: `${subject} is missing` };
  const expected = issue.expected === "int" ? "a whole number" : articled(issue.expected);
  return { field: name, detail: `${subject} is ${kindOf(found)}, expected ${expected}` };
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return articled(Array.isArray(value) ? "array" : typeof value);
}

function articled(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}

/** Checks a parsed body against the contract. Only the first `k` passages are kept: more were not asked for. */
export function checkAnswer(body: unknown, k: number): CheckedAnswer {
  const parsed = answerSchema.safeParse(body);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    return { kind: "schema-violation", ...describeIssue(first as z.core.$ZodIssue, body) };
  }
  const { answer, refused, retrieved, citations } = parsed.data;
  return {
    kind: "answer",
    answer: {
      answer,
      refused,
      retrieved: retrieved.slice(0, k).map(({ doc, section, start, end, text, rev }) => {
        return { doc, section, start, end, text, rev: rev ?? null };
      }),
      citations,
    },
  };
}
