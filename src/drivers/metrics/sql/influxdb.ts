import { z } from "zod";
import { parseJson, quote } from "../document.ts";
import type { Dialect, Told } from "./dialect.ts";

/** @source InfluxDB 3 documentation, "/api/v3/query_sql" with `format=json`: a list of rows; nulls are left out */
const answerSchema = z.array(z.record(z.string(), z.unknown()));
const refusalSchema = z.object({ error: z.string() });

/** Times are of UTC and are written without a zone. */
const ZONELESS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?$/;

function tableOf(document: unknown): Told {
  const answer = answerSchema.safeParse(document).data;
  if (answer === undefined) return { kind: "error", reason: `no list of rows: ${quote(document)}` };
  const names = [...new Set(answer.flatMap((row) => Object.keys(row)))];
  // A null is left out, so that a row of a time alone is one without a number, and the other way round.
  const columns = names.length === 1 ? [...names, names[0] === "time" ? "value" : "time"] : names;
  const rows = answer.map((row) =>
    columns.map((name) => {
      const value = row[name];
      return name === "time" && typeof value === "string" && ZONELESS.test(value) ? `${value}Z` : value;
    }),
  );
  if (rows.length > 0 && names.length === 0) return { columns: [], rows: [] };
  return { columns, rows };
}

/** InfluxDB 3 by its own SQL; `url` names the database as `?db=`. */
export const INFLUXDB: Dialect = {
  path: "/api/v3/query_sql",
  search: (query) => ({ q: query, format: "json" }),
  tableOf,
  refusals: { detailOf: (body) => refusalSchema.safeParse(parseJson(body)?.document).data?.error ?? "" },
};
