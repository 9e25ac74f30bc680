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

/** An answer that keeps the contract, or what breaks it, as one sentence. */
export type CheckedAnswer =
  | { readonly kind: "answer"; readonly answer: ProbeAnswer }
  | { readonly kind: "schema-violation"; readonly detail: string };

/** Checks a parsed body against the contract. Only the first `k` passages are kept: more were not asked for. */
export function checkAnswer(body: unknown, k: number): CheckedAnswer {
  const parsed = answerSchema.safeParse(body);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    const place = first === undefined || first.path.length === 0 ? "the answer" : first.path.join(".");
    const more = parsed.error.issues.length > 1 ? ` (and ${parsed.error.issues.length - 1} more)` : "";
    return { kind: "schema-violation", detail: `${place}: ${first?.message}${more}` };
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
