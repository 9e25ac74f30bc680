import { z } from "zod";
import { suggestion } from "../core/did-you-mean.ts";
import type { Problem } from "../core/problem.ts";
import { readShape, valueAt } from "../spec/shape.ts";
import { type Path, pathText, type Source } from "../spec/source.ts";

/** Codes of the problems of one kind of document; the handbook has a section for each. */
export interface ShapeCodes {
  readonly missing: string;
  readonly type: string;
  readonly unknownKey: string;
  readonly value: string;
}

/** A value checked against a schema: the typed value, or every problem with its place in the text. */
export function checkShape<T>(
  schema: z.ZodType<T>,
  source: Source,
  codes: ShapeCodes,
): { readonly value: T } | readonly Problem[] {
  const read = readShape(schema, source.value);
  if ("value" in read) return read;
  return read.issues.flatMap((issue) => problemsOf(issue, source, schema, codes));
}

function problemsOf(issue: z.core.$ZodIssue, source: Source, schema: z.ZodType, codes: ShapeCodes): readonly Problem[] {
  const path = issue.path.filter((part): part is string | number => typeof part !== "symbol");
  const here = { path: pathText(path), at: source.locate(path) };
  const name = here.path === "" ? "the document" : here.path;
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(schema, path);
    return issue.keys.map((key) => ({
      code: codes.unknownKey,
      path: pathText([...path, key]),
      at: source.locateKey(path, key),
      message: `unknown key "${key}"; ${suggestion(key, known)}`,
    }));
  }
  const found = valueAt(source.value, path);
  if (issue.code === "invalid_union") return unionProblems(issue, { found, path, name, here }, source, schema, codes);
  if (issue.code === "invalid_type") {
    const message =
      found === undefined
        ? `missing ${name}, expected ${issue.expected}`
        : `found ${shown(found)} for ${name}, expected ${issue.expected}`;
    return [{ ...here, code: found === undefined ? codes.missing : codes.type, message }];
  }
  return [{ ...here, code: codes.value, message: `${name}: ${issue.message}` }];
}

interface UnionPlace {
  readonly found: unknown;
  readonly path: Path;
  readonly name: string;
  readonly here: Pick<Problem, "path" | "at">;
}

/** A value that is none of several forms: told as the form it has most of, which is the one with an issue inside. */
function unionProblems(
  { errors }: z.core.$ZodIssueInvalidUnion,
  { found, path, name, here }: UnionPlace,
  source: Source,
  schema: z.ZodType,
  codes: ShapeCodes,
): readonly Problem[] {
  const isOtherForm = ({ code, path: inner }: z.core.$ZodIssue) => code === "invalid_type" && inner.length === 0;
  const closest = errors
    .filter((issues) => issues.length > 0 && !issues.some(isOtherForm))
    .sort((a, b) => a.length - b.length)[0];
  if (closest === undefined) {
    const expected = "expected a JSON pointer or one of the documented forms";
    return found === undefined
      ? [{ ...here, code: codes.missing, message: `missing ${name}, ${expected}` }]
      : [{ ...here, code: codes.type, message: `found ${shown(found)} for ${name}, ${expected}` }];
  }
  return closest.flatMap((issue) => problemsOf({ ...issue, path: [...path, ...issue.path] }, source, schema, codes));
}

/** The keys a schema knows at a path, through lists and optional parts. */
function knownKeys(schema: z.ZodType, path: Path): readonly string[] {
  let inner: unknown = plain(schema);
  for (const part of path) {
    if (inner instanceof z.ZodArray) inner = plain(inner.element);
    else if (inner instanceof z.ZodObject) inner = plain(inner.shape[part as string]);
  }
  const forms = inner instanceof z.ZodUnion ? inner.options : [inner];
  return [...new Set(forms.flatMap((form) => (form instanceof z.ZodObject ? Object.keys(form.shape) : [])))];
}

function plain(schema: unknown): unknown {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodNullable) {
    inner = inner.unwrap();
  }
  return inner;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
