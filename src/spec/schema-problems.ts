import type { z } from "zod";
import { suggestion } from "../core/did-you-mean.ts";
import type { Problem } from "../core/problem.ts";
import { valueAt } from "./shape.ts";
import { shown } from "./shown.ts";
import { type Path, pathText, type Source } from "./source.ts";

/** What is told of a document, and of unknown keys in one mapping: each place costs a look at the whole text. */
const ISSUES_TOLD_MAX = 200;
const UNKNOWN_TOLD_MAX = 20;

/** What to write where a document has nothing yet and the schema's own words do not say why it is wanted. */
const FIXES: Readonly<Record<string, string>> = {
  "spec.route.stickyBy":
    "name the header by which your proxy says who the user is, such as [{ header: x-user-id }]; requests without it go to stable and are not compared, unless { cookie: NAME } comes last",
  "spec.route.trustedHeaders": "list the headers that your own proxy sets after authentication, such as [x-user-id]",
};

/** What is wrong with a document, by the issues of its schema: each at its place, with what was expected there. */
export function schemaProblems(
  issues: readonly z.core.$ZodIssue[],
  source: Source,
  schema: z.ZodType,
): readonly Problem[] {
  return issues.slice(0, ISSUES_TOLD_MAX).flatMap((issue) => problemsOf(issue, { source, schema }));
}

/** A document and the schema it was read by. */
interface Read {
  readonly source: Source;
  readonly schema: z.ZodType;
}

function problemsOf(issue: z.core.$ZodIssue, read: Read): readonly Problem[] {
  return problemsIn(issue, read).map((problem) => {
    const fix = FIXES[problem.path];
    return fix === undefined ? problem : { ...problem, fix };
  });
}

function problemsIn(issue: z.core.$ZodIssue, read: Read): readonly Problem[] {
  const { source, schema } = read;
  const path = issue.path.filter((part): part is string | number => typeof part !== "symbol");
  const here = { path: pathText(path), at: source.locate(path) };
  const found = valueAt(source.value, path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.slice(0, UNKNOWN_TOLD_MAX).map((key) => {
        const at = source.locateKey(path, key);
        return {
          code: "E104",
          path: pathText([...path, key]),
          at,
          message: `unknown key "${key}"; ${suggestion(key, knownKeys(schema, path))}`,
        };
      });
    case "invalid_type":
      if (found === undefined)
        return [{ ...here, code: "E102", message: `missing ${pathText(path)}, expected ${issue.expected}` }];
      if (issue.message.startsWith("found ")) return [{ ...here, code: "E105", message: issue.message }];
      return [{ ...here, code: "E103", message: `found ${shown(found)}, expected ${issue.expected}` }];
    case "invalid_value": {
      const known = issue.values.map(String);
      if (found === undefined)
        return [{ ...here, code: "E102", message: `missing ${pathText(path)}, expected ${known.join(" or ")}` }];
      return [{ ...here, code: "E108", message: `unknown value ${shown(found)}; ${suggestion(String(found), known)}` }];
    }
    case "invalid_union":
      return unionProblems(issue, path, found, read);
    case "too_small":
      return [{ ...here, code: "E105", message: sizeMessage(issue, found, issue.minimum) }];
    case "too_big":
      return [{ ...here, code: "E105", message: sizeMessage(issue, found, issue.maximum) }];
    default:
      return [{ ...here, code: "E105", message: issue.message }];
  }
}

/**
 * A value that is either a word or an object: an object is told what is wrong inside it, anything else what the words
 * are.
 */
function unionProblems(
  issue: z.core.$ZodIssueInvalidUnion,
  path: Path,
  found: unknown,
  read: Read,
): readonly Problem[] {
  const { source, schema } = read;
  const inner = issue.errors.flatMap((issues) => issues.filter(({ code }) => code !== "invalid_value"));
  if (typeof found === "object" && found !== null)
    return inner.flatMap((one) => problemsOf({ ...one, path: [...path, ...one.path] }, read));
  const words = issue.errors.flat().flatMap((one) => (one.code === "invalid_value" ? one.values.map(String) : []));
  const here = { path: pathText(path), at: source.locate(path) };
  const expected = `${words.map((word) => `"${word}"`).join(" or ")} or an object with ${knownKeys(schema, path).join(", ")}`;
  if (found === undefined)
    return [{ ...here, code: "E102", message: `missing ${pathText(path)}, expected ${expected}` }];
  return [{ ...here, code: "E108", message: `unknown value ${shown(found)}; expected ${expected}` }];
}

/** A size that is not allowed, in the words of all other problems; the schema's own sentence where it has one. */
function sizeMessage(
  { code, message, inclusive = true }: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig,
  found: unknown,
  limit: number | bigint,
): string {
  if (!message.startsWith("Too ")) return message;
  const size = Array.isArray(found) ? "items" : typeof found === "string" ? "characters" : null;
  const has = Array.isArray(found) || typeof found === "string" ? `${found.length} ${size}` : shown(found);
  const bound = code === "too_small" ? (inclusive ? "at least" : "more than") : inclusive ? "at most" : "less than";
  return `found ${has}, expected ${bound} ${limit}`;
}

/** The keys the schema knows at a path. */
function knownKeys(document: z.ZodType, path: Path): readonly string[] {
  let schema: unknown = document;
  for (const part of path) {
    const inner = unwrap(schema) as { shape?: Record<string, unknown>; element?: unknown };
    schema = typeof part === "number" ? inner.element : inner.shape?.[part];
  }
  return Object.keys((unwrap(schema) as { shape?: object } | undefined)?.shape ?? {});
}

function unwrap(schema: unknown): unknown {
  let inner = (schema as { options?: readonly unknown[] } | undefined)?.options?.find(
    (option) => (option as { shape?: object }).shape !== undefined,
  );
  inner ??= schema;
  while (
    typeof (inner as { unwrap?: unknown } | undefined)?.unwrap === "function" &&
    !("element" in (inner as object))
  ) {
    inner = (inner as { unwrap(): unknown }).unwrap();
  }
  return inner;
}

/** Problems in the order of the text, as a person reads it. */
export function inTextOrder(problems: readonly Problem[]): readonly Problem[] {
  const place = (problem: Problem) => (problem.at?.line ?? 0) * 10_000 + (problem.at?.column ?? 0);
  return [...problems].sort((a, b) => place(a) - place(b));
}
