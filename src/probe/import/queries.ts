import { z } from "zod";
import type { Problem } from "../../core/problem.ts";
import { checkShape } from "../shape-problems.ts";
import { IMPORT_CODES, optionalText } from "./imported.ts";
import { parseJsonSource } from "../../spec/json-source.ts";
import { linesOf, type TableLine, tabFields } from "./table.ts";

/** The texts of a query: rows with the same id ask the same in other words. */
interface Query {
  readonly texts: readonly string[];
  /** Null where the file names none. */
  readonly topic: string | null;
}

export interface Queries {
  readonly byId: ReadonlyMap<string, Query>;
  /** Lines that were left out, each with its reason. */
  readonly problems: readonly Problem[];
}

interface QueryRow {
  readonly id: string;
  readonly text: string;
  readonly topic: string | null;
}

const id = z.union([z.string().trim().min(1, "is an empty id"), z.int().transform(String)]);
const text = z.string().trim().min(1, "is an empty text");
/** BEIR says `_id` and `text`; other collections say it more plainly. */
const jsonRow = z
  .object({
    _id: id.optional(),
    id: id.optional(),
    query_id: id.optional(),
    text: text.optional(),
    query: text.optional(),
    question: text.optional(),
    topic: optionalText,
    metadata: z.object({ topic: optionalText }).optional(),
  })
  .refine((row) => (row._id ?? row.id ?? row.query_id) !== undefined, 'has no id: expected "_id", "id" or "query_id"')
  .refine(
    (row) => (row.text ?? row.query ?? row.question) !== undefined,
    'has no text: expected "text", "query" or "question"',
  );

const CODES = IMPORT_CODES;

/** Reads the texts of queries: JSON lines as BEIR has them, or `id<TAB>text`. A BEIR-style header line is passed over. */
export function readQueries(source: string): Queries {
  const byId = new Map<string, { texts: string[]; topic: string | null }>();
  const problems: Problem[] = [];
  for (const line of linesOf(source)) {
    const row = line.text.trimStart().startsWith("{") ? readJsonRow(line) : readTabRow(line);
    if (row === null) continue;
    if (Array.isArray(row)) {
      problems.push(...(row as readonly Problem[]));
      continue;
    }
    const { id: name, text: asked, topic } = row as QueryRow;
    const known = byId.get(name);
    if (known === undefined) byId.set(name, { texts: [asked], topic });
    else if (!known.texts.includes(asked)) known.texts.push(asked);
  }
  return { byId, problems };
}

function readJsonRow(line: TableLine): QueryRow | readonly Problem[] {
  const onLine = (problem: Problem): Problem => ({
    ...problem,
    path: `line ${line.number}`,
    at: { line: line.number, column: problem.at?.column ?? 1 },
  });
  const source = parseJsonSource(line.text, CODES.unreadable);
  if (!("value" in source)) return source.map(onLine);
  const checked = checkShape(jsonRow, source, CODES);
  if (!("value" in checked)) return checked.map(onLine);
  const row = checked.value;
  return {
    id: row._id ?? row.id ?? row.query_id ?? "",
    text: row.text ?? row.query ?? row.question ?? "",
    topic: row.topic ?? row.metadata?.topic ?? null,
  };
}

/** Null for a header. */
function readTabRow(line: TableLine): QueryRow | readonly Problem[] | null {
  const [name, ...rest] = tabFields(line);
  const asked = rest[0];
  if (line.number === 1 && /^(_id|id|qid|query[-_]id)$/i.test(name?.text ?? "")) return null;
  if (name !== undefined && asked !== undefined && rest.length === 1 && name.text !== "" && asked.text !== "") {
    return { id: name.text, text: asked.text, topic: null };
  }
  const found = `found ${rest.length + 1} fields, expected an id and a text with one tab between them`;
  const at = { line: line.number, column: asked?.column ?? 1 };
  return [{ code: CODES.type, path: `line ${line.number}`, at, message: found }];
}
