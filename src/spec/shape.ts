import type { z } from "zod";
import type { Path } from "./source.ts";

/** What was read by a schema, or what is wrong with it. */
export type ReadShape<T> = { readonly value: T } | { readonly issues: readonly z.core.$ZodIssue[] };

/** Nulls inside nulls of unions come to light one level a round. */
const ROUNDS_MAX = 8;

/**
 * Reads a value by a schema, as every document is read: `null` where an optional member stands is its absence, because
 * that is what an empty YAML key and many writers of JSON make of it. A null that the schema takes stays, and one in
 * the place of a needed member stays wrong.
 */
export function readShape<T>(schema: z.ZodType<T>, value: unknown): ReadShape<T> {
  let current = value;
  for (let round = 0; ; round++) {
    const parsed = schema.safeParse(current);
    if (parsed.success) return { value: parsed.data };
    const nulls = nullMembers(parsed.error.issues, current, []);
    if (nulls.length === 0 || round === ROUNDS_MAX) return { issues: parsed.error.issues };
    current = nulls.reduce<unknown>((rest, path) => without(rest, path), current);
  }
}

/** Members that are null and were complained about, in unions of any depth. */
function nullMembers(issues: readonly z.core.$ZodIssue[], value: unknown, base: Path): readonly Path[] {
  return issues.flatMap((issue): readonly Path[] => {
    const path = [...base, ...issue.path.filter((part): part is string | number => typeof part !== "symbol")];
    const inner = issue.code === "invalid_union" ? issue.errors.flatMap((one) => nullMembers(one, value, path)) : [];
    const isNullMember = typeof path.at(-1) === "string" && valueAt(value, path) === null;
    return isNullMember ? [path] : inner;
  });
}

/** The value at a path; undefined where there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Record<string | number, unknown> | null | undefined)?.[key],
    value,
  );
}

/** A value without one member; everything beside the path is shared. */
function without(value: unknown, [head, ...rest]: Path): unknown {
  if (typeof value !== "object" || value === null || head === undefined) return value;
  if (Array.isArray(value)) return value.map((element, index) => (index === head ? without(element, rest) : element));
  const { [head]: member, ...others } = value as Record<string | number, unknown>;
  if (rest.length === 0) return others;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, key === head ? without(member, rest) : inner]),
  );
}
