import { z } from "zod";
import type { Meaning } from "../connection.ts";
import { quote } from "../document.ts";
import type { Dialect, Told } from "./dialect.ts";

/** @source ClickHouse documentation, "JSONCompact"; an exception in mid-answer is a member of the document */
const answerSchema = z.object({
  meta: z.array(z.object({ name: z.string(), type: z.string() })),
  data: z.array(z.array(z.unknown())),
  exception: z.string().optional(),
});

const INTEGER = /^-?\d{1,19}$/;
const LOCAL = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)$/;

/** A type without what wraps it: `Nullable(Float64)` is read as `Float64`. */
const bare = (type: string) => type.replace(/^(?:(?:Nullable|LowCardinality)\()+/, "").replace(/\)+$/, "");

/** 64-bit integers come as text unless the server is told otherwise; times of a type with UTC can mean one moment. */
function cellOf(value: unknown, type: string): unknown {
  if (typeof value !== "string") return value;
  if (/^U?Int(64|128|256)$/.test(bare(type)) && INTEGER.test(value)) {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  const [, day, hour] = LOCAL.exec(value) ?? [];
  if (day === undefined || !/^(?:Nullable\()?DateTime(64)?\(.*'(?:Etc\/)?UTC'/.test(type)) return value;
  const atEpochMs = Date.parse(`${day}T${hour}Z`);
  return atEpochMs === 0 ? 0 : `${day}T${hour}Z`;
}

function tableOf(document: unknown): Told {
  const answer = answerSchema.safeParse(document).data;
  if (answer === undefined) return { kind: "error", reason: `no answer in JSONCompact: ${quote(document)}` };
  const { meta, data, exception } = answer;
  if (exception !== undefined) return { kind: "error", reason: `ClickHouse failed in mid-answer: ${quote(exception)}` };
  const rows = data.map((row) => row.map((value, index) => cellOf(value, meta[index]?.type ?? "")));
  return { columns: meta.map(({ name }) => name), rows };
}

/** `Code: 62. DB::Exception: Syntax error: …` */
const CODE = /^Code: (\d+)/;
/** AUTHENTICATION_FAILED, ACCESS_DENIED, UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD. */
const UNAUTHORIZED = ["516", "497", "192", "193", "194"];
/** TIMEOUT_EXCEEDED, TOO_MANY_SIMULTANEOUS_QUERIES, QUOTA_EXCEEDED, NETWORK_ERROR, MEMORY_LIMIT_EXCEEDED, ABORTED. */
const BUSY = ["159", "202", "201", "210", "241", "236"];

/** Statuses hardly tell a broken query from a broken server: most errors come with 500. */
function meaningOf(status: number, body: string): Meaning | null {
  const [, code] = CODE.exec(body) ?? [];
  if (status === 200 || code === undefined) return null;
  if (UNAUTHORIZED.includes(code)) return "unauthorized";
  return BUSY.includes(code) ? "busy" : "rejected";
}

/** ClickHouse by its HTTP interface. A GET cannot write, whatever the query says. */
export const CLICKHOUSE: Dialect = {
  path: "/",
  // No settings: a user that may only read may not set any.
  search: (query) => ({ query, default_format: "JSONCompact" }),
  tableOf,
  refusals: { detailOf: (body) => (CODE.test(body) ? (body.split("\n")[0] ?? "") : ""), meaningOf },
};
