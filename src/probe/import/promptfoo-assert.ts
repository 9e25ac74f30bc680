import { z } from "zod";

/** An assertion of a test; sets hold further ones. */
export interface Assertion {
  readonly type?: string | undefined;
  readonly value?: unknown;
  readonly assert?: readonly Assertion[] | undefined;
}

export const assertionShape: z.ZodType<Assertion> = z.object({
  type: z.string().optional(),
  value: z.unknown().optional(),
  get assert() {
    return z.array(assertionShape).optional();
  },
});

const REFUSAL = "is-refusal";

/** Types whose value is what an answer must say: a text, or a list of texts of which all are needed. */
const CLAIMS: ReadonlySet<string> = new Set([
  "equals",
  "contains",
  "icontains",
  "contains-all",
  "icontains-all",
  "starts-with",
  "similar",
  "factuality",
  "context-recall",
]);

function flatten(assertions: readonly Assertion[]): readonly Assertion[] {
  return assertions.flatMap((one) => (one.assert === undefined ? [one] : flatten(one.assert)));
}

/** Whether a refusal is the right answer. */
export function isRefusalWanted(assertions: readonly Assertion[]): boolean {
  return flatten(assertions).some(({ type }) => type === REFUSAL);
}

/** Texts that a right answer says, each once; templates and names of files are none. */
export function claimsOf(assertions: readonly Assertion[]): readonly string[] {
  const values = flatten(assertions).flatMap(({ type = "", value }) => (CLAIMS.has(type) ? [value].flat() : []));
  const texts = values.flatMap((value) => (typeof value === "string" ? [value.trim()] : []));
  return [...new Set(texts.filter(isPlain))];
}

function isPlain(text: string): boolean {
  return text !== "" && !text.startsWith("file://") && !text.includes("{{");
}

/** Types that became neither a claim nor a refusal, with how often: `javascript 3`. */
export function otherTypes(assertions: readonly Assertion[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const one of flatten(assertions)) {
    if (one.type === REFUSAL || claimsOf([one]).length > 0) continue;
    counts.set(one.type ?? "without a type", (counts.get(one.type ?? "without a type") ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([type, count]) => `${type} ${count}`);
}
