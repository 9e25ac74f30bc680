import { parse } from "csv-parse/browser/esm/sync";
import type { Problem } from "../../core/problem.ts";
import { withoutMark } from "../../spec/document-text.ts";
import type { Source } from "../../spec/source.ts";
import { IMPORT_CODES } from "./imported.ts";

/** Rows of a table as sources of their own: members are texts by the header's names, empty cells are absent. */
export interface TableRows {
  readonly rows: readonly Source[];
  readonly problems: readonly Problem[];
}

const DELIMITERS = [",", ";", "\t", "|"];
/** The first line by which Excel says what parts the fields. */
const SEPARATOR_LINE = /^sep=(.)\r?\n/i;

/**
 * Reads CSV as spreadsheets and libraries write it: any line end, quotes over several lines, a byte order mark, and
 * commas, semicolons, tabs or bars between the fields, whichever the header has most of. A header that names a column
 * twice, rows of another length and broken quotes are told, never guessed.
 * @source RFC 4180
 */
export function readCsv(text: string): TableRows {
  const plain = withoutMark(text);
  const [line = "", given] = SEPARATOR_LINE.exec(plain) ?? [];
  const skipped = line === "" ? 0 : 1;
  const body = plain.slice(line.length);
  const delimiter = given ?? delimiterOf(body);
  let parsed: readonly { record: string[]; raw: string }[];
  try {
    parsed = parse(body, {
      delimiter,
      raw: true,
      record_delimiter: ["\r\n", "\n", "\r"],
      relax_column_count: true,
    }) as unknown as typeof parsed;
  } catch (error) {
    const { message, lines = 1 } = error as Error & { lines?: number };
    const at = { line: lines + skipped, column: 1 };
    return { rows: [], problems: [{ code: IMPORT_CODES.unreadable, path: "", at, message: `not CSV: ${message}` }] };
  }
  return tableOf(parsed, skipped + 1);
}

function delimiterOf(body: string): string {
  const header = (/^[^\r\n]*/.exec(body)?.[0] ?? "").replace(/"(?:[^"]|"")*"/g, "");
  const counts = DELIMITERS.map((delimiter) => header.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ",";
}

function tableOf(parsed: readonly { record: string[]; raw: string }[], firstLine: number): TableRows {
  const problems: Problem[] = [];
  const rows: Source[] = [];
  const tell = (line: number, message: string): void => {
    problems.push({ code: IMPORT_CODES.type, path: `line ${line}`, at: { line, column: 1 }, message });
  };
  let line = firstLine;
  let names: readonly string[] | null = null;
  for (const { record, raw } of parsed) {
    const start = line + (/^(?:\r\n|\n|\r)*/.exec(raw)?.[0].match(/\r\n|\n|\r/g)?.length ?? 0);
    line += raw.match(/\r\n|\n|\r/g)?.length ?? 0;
    if (record.every((cell) => cell.trim() === "")) continue;
    if (names === null) {
      names = record.map((name) => name.trim());
      const twice = names.find((name, index) => name !== "" && names?.indexOf(name) !== index);
      if (twice === undefined) continue;
      tell(start, `column "${twice}" is named twice`);
      return { rows: [], problems };
    }
    if (record.length !== names.length) tell(start, `found ${record.length} fields, expected ${names.length}`);
    else rows.push(rowOf(names, record, start));
  }
  return { rows, problems };
}

function rowOf(names: readonly string[], record: readonly string[], line: number): Source {
  const members = record.flatMap((cell, index) => (cell === "" ? [] : [[names[index] ?? "", cell] as const]));
  const at = { line, column: 1 };
  return {
    text: record.join(","),
    value: Object.fromEntries(members),
    locate: () => at,
    locateKey: () => at,
    spelled: () => null,
  };
}
