import { parse } from "csv-parse/sync";
import { z } from "zod";
import type { EpochMs } from "../../../core/unit.ts";
import type { MetricOrder, MetricReading } from "../../../ports/metric-source.ts";
import { parseJson, quote } from "../document.ts";
import { judgeCount, type Point, readSeries } from "../series.ts";

type NoValue = Exclude<MetricReading, { kind: "value" }>;
type Row = readonly string[];

const refusalSchema = z.union([
  z.object({ message: z.string() }).transform(({ message }) => message),
  z.object({ error: z.string() }).transform(({ error }) => error),
]);

/** What InfluxDB says of a request it refuses, 2.x or 1.x; empty when the body is not its own. */
export function refusalText(body: string): string {
  return refusalSchema.safeParse(parseJson(body)?.document).data ?? "";
}

const DATATYPE = "#datatype";
const NUMBERS = ["double", "long", "unsignedLong"];
const DECIMAL = /^[+-]?\d+(\.\d*)?(e[+-]?\d+)?$/i;

/** The table of an answer that has rows: the types and names of its columns, and its rows. */
interface Block {
  readonly types: Row;
  readonly names: Row;
  readonly rows: readonly Row[];
}

/** Every change of columns begins with annotations and a header; a failure in mid-answer is a table of errors. */
function blocksOf(records: readonly Row[]): readonly Block[] {
  const blocks: { types: Row; names: Row | null; rows: Row[] }[] = [];
  for (const record of records) {
    const [mark = ""] = record;
    let block = blocks.at(-1);
    if (block === undefined || (mark.startsWith("#") && block.names !== null)) {
      block = { types: [], names: null, rows: [] };
      blocks.push(block);
    }
    if (mark === DATATYPE) block.types = record;
    else if (mark.startsWith("#")) continue;
    else if (block.names === null) block.names = record;
    else block.rows.push(record);
  }
  return blocks.map(({ types, names, rows }) => ({ types, names: names ?? [], rows }));
}

/**
 * The newest number of the only table of an answer in annotated CSV.
 * @source InfluxDB documentation, "Annotated CSV" and "/api/v2/query", 2.7: errors after the first byte are a table
 */
export function readFlux(body: string, order: MetricOrder, now: EpochMs): MetricReading {
  if (body.trim() === "") return { kind: "no-data", reason: "the answer holds no table" };
  const records = recordsOf(body);
  if (records === null) return { kind: "error", reason: `no annotated CSV: ${quote(body)}` };
  const blocks = blocksOf(records);
  const failure = blocks.find(({ names }) => names.includes("error"));
  if (failure !== undefined) {
    const why = failure.rows[0]?.[failure.names.indexOf("error")] ?? "no words";
    return { kind: "error", reason: `InfluxDB failed in mid-answer: ${quote(why)}` };
  }
  if (blocks.some(({ types }) => types[0] !== DATATYPE)) {
    return { kind: "error", reason: `no annotated CSV: ${quote(body)}` };
  }
  const full = blocks.filter(({ rows }) => rows.length > 0);
  const tables = new Set(full.flatMap(({ names, rows }) => rows.map((row) => tableOf(names, row))));
  const [block] = full;
  const miscount = judgeCount(tables.size);
  if (block === undefined || miscount !== null) return miscount ?? { kind: "no-data", reason: "no table" };
  const points = pointsOf(block);
  return "kind" in points ? points : readSeries(points, order, now);
}

function recordsOf(body: string): readonly Row[] | null {
  try {
    return parse(body, { relax_column_count: true, skip_empty_lines: true });
  } catch {
    return null;
  }
}

function tableOf(names: Row, row: Row): string {
  return `${row[names.indexOf("result")]}\n${row[names.indexOf("table")]}`;
}

function pointsOf({ types, names, rows }: Block): readonly Point[] | NoValue {
  const [timeAt, valueAt] = [names.indexOf("_time"), names.indexOf("_value")];
  if (valueAt < 0) return { kind: "error", reason: `columns ${names.join(" ")}, expected a _value` };
  if (timeAt < 0) {
    const advice = "end the query with last() or aggregateWindow(), which keep the time";
    return { kind: "error", reason: `the table has no _time, so the age of its number is not known; ${advice}` };
  }
  const isNumeric = NUMBERS.includes(types[valueAt] ?? "");
  return rows.map((row) => {
    const startMs = Date.parse(row[timeAt] ?? "");
    const text = row[valueAt] ?? "";
    const value = text === "" ? null : isNumeric && DECIMAL.test(text) ? Number(text) : text;
    return { startMs, endMs: startMs, value };
  });
}
