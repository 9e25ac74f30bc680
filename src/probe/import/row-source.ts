import type { Problem } from "../../core/problem.ts";
import { withoutMark } from "../../spec/document-text.ts";
import { parseJsonSource } from "../../spec/json-source.ts";
import { type Path, parseSource, type Source, sourceAt } from "../../spec/source.ts";
import { readCsv, type TableRows } from "./csv-rows.ts";
import { IMPORT_CODES } from "./imported.ts";
import { linesOf } from "./table.ts";

/** Members of a document that hold its rows, as exports name them. */
const LISTS = ["tests", "data", "examples", "items", "rows", "samples"];

/**
 * Rows of a file whatever it is written in: JSON lines, a JSON or YAML list, a document that holds one, or CSV. What
 * cannot be read is told by line; the rows around it are read.
 */
export function readRowSources(text: string): TableRows {
  const plain = withoutMark(text);
  if (isJsonLines(plain)) return readJsonLines(plain);
  if (/^\s*[[{]/.test(plain) || /^\s*(?:- |---|#|[\w-]+:(?:\s|$))/.test(plain)) return readDocument(plain);
  return readCsv(plain);
}

/** Whether a text is one JSON object a line, and not one object over several lines. */
export function isJsonLines(text: string): boolean {
  const [first, second] = linesOf(text);
  if (first === undefined || !first.text.trimStart().startsWith("{")) return false;
  const source = parseJsonSource(first.text, IMPORT_CODES.unreadable);
  if (!("value" in source))
    return second?.text.trimStart().startsWith("{") === true && first.text.trimEnd().endsWith("}");
  return second !== undefined || !LISTS.some((name) => Array.isArray((source.value as Record<string, unknown>)[name]));
}

/** Each line as a source of its own, with places in the whole text. */
export function readJsonLines(text: string): TableRows {
  const rows: Source[] = [];
  const problems: Problem[] = [];
  for (const { text: line, number } of linesOf(text)) {
    const source = parseJsonSource(line, IMPORT_CODES.unreadable);
    const down = ({ column }: { readonly column: number }) => ({ line: number, column });
    if ("value" in source) {
      rows.push({
        ...source,
        locate: (path) => down(source.locate(path)),
        locateKey: (path, key) => down(source.locateKey(path, key)),
      });
    } else
      for (const problem of source)
        problems.push({ ...problem, path: `line ${number}`, at: down(problem.at ?? { column: 1 }) });
  }
  return { rows, problems };
}

function readDocument(text: string): TableRows {
  const source = parseSource(text);
  if (!("value" in source))
    return { rows: [], problems: source.map((one) => ({ ...one, code: IMPORT_CODES.unreadable })) };
  const value = source.value as Readonly<Record<string, unknown>> | readonly unknown[] | null;
  const name = Array.isArray(value)
    ? null
    : LISTS.find((key) => Array.isArray((value as Record<string, unknown> | null)?.[key]));
  const list = Array.isArray(value) ? value : name == null ? undefined : (value as Record<string, unknown>)[name];
  if (!Array.isArray(list)) {
    const message = `found no list of rows; expected a list, or one as ${LISTS.join(", ")}`;
    return { rows: [], problems: [{ code: IMPORT_CODES.missing, path: "", at: source.locate([]), message }] };
  }
  const base: Path = name == null ? [] : [name];
  return { rows: list.map((_, index) => sourceAt(source, [...base, index])), problems: [] };
}

/** A value that was made, not read, at the place it was made of: parquet rows, converted columns. */
export function madeSource(value: unknown, line: number): Source {
  const at = { line, column: 1 };
  return { text: "", value, locate: () => at, locateKey: () => at, spelled: () => null };
}
