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
  /** Rows that say nothing new, or something else than the row of their id before. */
  readonly warnings: readonly Problem[];
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

/**
 * Reads the texts of queries: JSON lines as BEIR has them, `id<TAB>text`, or TREC topics. A BEIR-style header line is
 * passed over.
 */
export function readQueries(source: string): Queries {
  const byId = new Map<string, { texts: string[]; topic: string | null }>();
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  for (const { line, row } of rowsOf(source)) {
    if (row === null) continue;
    if (Array.isArray(row)) {
      problems.push(...(row as readonly Problem[]));
      continue;
    }
    const { id: name, text: asked, topic } = row as QueryRow;
    const warn = (message: string): void => {
      warnings.push({ code: CODES.twice, path: `line ${line}`, at: { line, column: 1 }, message });
    };
    const known = byId.get(name);
    if (known === undefined) byId.set(name, { texts: [asked], topic });
    else {
      if (known.texts.includes(asked)) warn(`query ${name} stands twice with the same text`);
      else known.texts.push(asked);
      if (topic !== null && topic !== known.topic)
        warn(`query ${name} has topic ${topic} here and ${known.topic ?? "none"} before, which is kept`);
    }
  }
  return { byId, problems, warnings };
}

interface PlacedRow {
  readonly line: number;
  readonly row: QueryRow | readonly Problem[] | null;
}

function rowsOf(source: string): readonly PlacedRow[] {
  if (/^\uFEFF?\s*</.test(source)) return topicRows(source);
  return linesOf(source).map((line) => {
    return { line: line.number, row: line.text.trimStart().startsWith("{") ? readJsonRow(line) : readTabRow(line) };
  });
}

const TOPIC = /<top(?:ic)?(?=[\s>])(?:\s+number="([^"]*)")?[^>]*>([\s\S]*?)<\/top(?:ic)?>/gi;
const NUMBER = /<num(?:ber)?>\s*(?:Number:)?\s*([^\s<]+)/i;
/** The parts of a topic that ask the question, each in other words; the narrative says what counts as relevant. */
const WORDINGS = ["title", "query", "question", "desc", "description"];

/** Topics of TREC, whose elements need not be closed. @source NIST, TREC ad hoc topics; TREC-COVID topics */
function topicRows(source: string): readonly PlacedRow[] {
  const rows = [...source.matchAll(TOPIC)].flatMap((match): readonly PlacedRow[] => {
    const line = source.slice(0, match.index).split("\n").length;
    const body = match[2] ?? "";
    const name = (match[1] ?? NUMBER.exec(body)?.[1] ?? "").trim();
    const texts = WORDINGS.flatMap((word) => {
      const inner = new RegExp(`<${word}>\\s*(?:(?:Topic|Description):)?([^<]*)`, "i").exec(body)?.[1] ?? "";
      const text = decoded(inner).replace(/\s+/g, " ").trim();
      return text === "" ? [] : [text];
    });
    if (name !== "" && texts.length > 0)
      return [...new Set(texts)].map((asked) => ({ line, row: { id: name, text: asked, topic: null } }));
    const message = name === "" ? "the topic has no number" : `topic ${name} has no title`;
    return [{ line, row: [{ code: CODES.missing, path: `line ${line}`, at: { line, column: 1 }, message }] }];
  });
  if (rows.length > 0) return rows;
  const message = "found no <top> or <topic>, expected topics of TREC";
  return [{ line: 1, row: [{ code: CODES.unreadable, path: "line 1", at: { line: 1, column: 1 }, message }] }];
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function decoded(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => ENTITIES[name] ?? "");
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
