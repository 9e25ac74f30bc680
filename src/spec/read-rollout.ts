import { suggestion } from "../core/did-you-mean.ts";
import type { Problem } from "../core/problem.ts";
import { checkDocuments } from "./check-documents.ts";
import { checkGateEntries } from "./check-gates.ts";
import { checkRollout } from "./check-rollout.ts";
import { checkDriverNames, isDriverName, type KnownDrivers } from "./known-drivers.ts";
import { type RolloutDocument, rolloutSchema } from "./rollout-schema.ts";
import { inTextOrder, schemaProblems } from "./schema-problems.ts";
import { readShape } from "./shape.ts";
import { parseSource, type Source } from "./source.ts";

export interface ReadRollout {
  readonly document: RolloutDocument;
  readonly source: Source;
}

/** Every kind of document this version reads. */
const KINDS = ["Rollout"];

/**
 * Reads a Rollout document. All problems come back together, in the order of the text.
 * @param drivers that it may name
 */
export function readRollout(text: string, drivers: KnownDrivers): ReadRollout | readonly Problem[] {
  const source = parseSource(text);
  if (!("value" in source)) return source;
  const foreign = foreignDocument(source);
  if (foreign !== null) return [foreign];
  const names = checkDriverNames(source, drivers);
  const read = readShape(rolloutSchema, source.value);
  if ("issues" in read) {
    // Rules between fields need a whole document; options of gates do not, so they are told in the same pass.
    const others = read.issues.filter(({ path }) => !isDriverName(path));
    return inTextOrder([...schemaProblems(others, source, rolloutSchema), ...names, ...checkGateEntries(source)]);
  }
  const problems = [...names, ...checkRollout(read.value, source, drivers)];
  const found = problems.length > 0 ? problems : checkDocuments(read.value, source, drivers);
  return found.length > 0 ? inTextOrder(found) : { document: read.value, source };
}

export function isProblems<T>(read: T | readonly Problem[]): read is readonly Problem[] {
  return Array.isArray(read);
}

/** A document of another kind is one problem, not a list of all its keys. */
function foreignDocument(source: Source): Problem | null {
  const { value } = source;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const found = value === null ? "nothing" : Array.isArray(value) ? "a list" : typeof value;
    return {
      code: "E102",
      path: "",
      at: { line: 1, column: 1 },
      message: `found ${found}, expected a document with apiVersion and kind`,
    };
  }
  const kind = (value as Record<string, unknown>)["kind"];
  if (typeof kind !== "string" || KINDS.includes(kind)) return null;
  return {
    code: "E107",
    path: "kind",
    at: source.locate(["kind"]),
    message: `unknown kind "${kind}"; ${suggestion(kind, KINDS)}`,
  };
}
