import { z } from "zod";
import type { Claim } from "../../core/measure/gold.ts";

/** An assertion of a test; sets hold further ones. */
export interface Assertion {
  readonly type?: string | undefined;
  readonly value?: unknown;
  readonly threshold?: number | undefined;
  readonly weight?: number | undefined;
  readonly assert?: readonly Assertion[] | undefined;
}

export const assertionShape: z.ZodType<Assertion> = z.object({
  type: z.string().optional(),
  value: z.unknown().optional(),
  threshold: z.number().optional(),
  weight: z.number().optional(),
  get assert() {
    return z.array(assertionShape).optional();
  },
});

const REFUSAL = "is-refusal";

/** Types whose value is one text that an answer must say; a list there is of texts of which one is enough. */
const ONE: ReadonlySet<string> = new Set([
  "equals",
  "contains",
  "icontains",
  "starts-with",
  "similar",
  "factuality",
  "context-recall",
]);
/** Types with a list, or a text of values parted by commas. */
const ALL: ReadonlySet<string> = new Set(["contains-all", "icontains-all"]);
const ANY: ReadonlySet<string> = new Set(["contains-any", "icontains-any"]);

/**
 * What assertions became: the claims, whether a refusal is wanted, and what has no place in a gold set, as sentences.
 */
export interface ReadAssertions {
  readonly claims: readonly Claim[];
  readonly isRefused: boolean;
  readonly left: readonly string[];
}

/**
 * What a test's assertions demand of an answer. All of them must hold, so their texts are claims; of the texts of
 * `contains-any` one must, so they are one claim of alternatives. A set or test that passes at a part of its score
 * demands nothing in particular: its texts are left out.
 * @param threshold score at which the test passes; undefined when all assertions must hold
 * @source https://www.promptfoo.dev/docs/configuration/expected-outputs/: assertion types, assert-set, weight,
 *   threshold
 */
export function readAssertions(assertions: readonly Assertion[], threshold: number | undefined): ReadAssertions {
  const parts = assertions.map((assertion) => readAssertion(assertion, threshold));
  const claims = parts.flatMap((part) => part.claims);
  return {
    claims: [...new Map(claims.map((claim) => [JSON.stringify(claim), claim])).values()],
    isRefused: parts.some((part) => part.isRefused),
    left: parts.flatMap((part) => part.left),
  };
}

function readAssertion(assertion: Assertion, threshold: number | undefined): ReadAssertions {
  const { type = "without a type", assert } = assertion;
  if (assert !== undefined) return readAssertions(assert, assertion.threshold ?? threshold);
  if (type === REFUSAL) return { claims: [], isRefused: true, left: [] };
  const values = ONE.has(type) || ANY.has(type) || ALL.has(type) ? textsOf(assertion.value, !ONE.has(type)) : null;
  if (values === null) return leftOut(`assertion ${type} has no place in a gold set`);
  const said = values.texts.map((text) => JSON.stringify(text)).join(", ");
  if (assertion.weight === 0) return leftOut(`assertion ${type} has weight 0, so ${said} is not needed`);
  if (threshold !== undefined && threshold < 1)
    return leftOut(`the test passes at a score of ${threshold}, so ${said} of ${type} may be missing`);
  const left = values.odd.map((value) => `${type} ${JSON.stringify(value)} is no text that can be looked for`);
  if (values.texts.length === 0) return { claims: [], isRefused: false, left };
  // With an alternative missing, a right answer may say none of the others.
  if (left.length > 0 && !ALL.has(type)) return { claims: [], isRefused: false, left };
  const isGroup = values.texts.length > 1 && !ALL.has(type);
  return { claims: isGroup ? [values.texts] : values.texts, isRefused: false, left };
}

function leftOut(reason: string): ReadAssertions {
  return { claims: [], isRefused: false, left: [reason] };
}

/** The texts of a value, each once, and what of it is none: an empty text, a template, the name of a file. */
function textsOf(value: unknown, isList: boolean): { readonly texts: readonly string[]; readonly odd: unknown[] } {
  const parts: readonly unknown[] = isList && typeof value === "string" ? splitList(value) : [value].flat();
  const isPlain = (part: unknown): part is string => {
    return typeof part === "string" && part.trim() !== "" && !part.startsWith("file://") && !part.includes("{{");
  };
  const asText = parts.map((part) => (typeof part === "number" ? String(part) : part));
  return {
    texts: [...new Set(asText.filter(isPlain).map((text) => text.trim()))],
    odd: asText.filter((part) => !isPlain(part)),
  };
}

/** Values parted by commas; one in quotes may hold commas. */
function splitList(text: string): readonly string[] {
  if (/^file:\/\/|\{\{/.test(text.trim())) return [text];
  const parts = [...text.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/g)].map(([, quoted, bare]) => {
    return quoted === undefined ? (bare ?? "") : quoted.replaceAll('""', '"');
  });
  return parts.slice(0, text.trimEnd().endsWith(",") ? parts.length : -1);
}
