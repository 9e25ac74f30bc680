import { z } from "zod";
import type { EpochMs } from "../../../core/unit.ts";
import type { MetricOrder, MetricReading } from "../../../ports/metric-source.ts";
import type { Meaning } from "../connection.ts";
import { parseJson, quote } from "../document.ts";
import { judgeCount, type Point, readSeries } from "../series.ts";

type NoValue = Exclude<MetricReading, { kind: "value" }>;
type Row = Readonly<Record<string, unknown>>;

/** @source GraphQL specification, "Errors"; NerdGraph answers with status 200 and classes them in `extensions` */
const refusalSchema = z.object({
  errors: z
    .array(
      z.object({
        message: z.string().catch("no words"),
        extensions: z.object({ errorClass: z.string().optional() }).nullish().catch(null),
      }),
    )
    .min(1),
});

/** @source New Relic documentation, "NerdGraph tutorial: Query your data using NRQL" */
const answerSchema = z.object({
  data: z.object({
    actor: z.object({
      account: z.object({
        nrql: z.object({
          results: z.array(z.record(z.string(), z.unknown())),
          metadata: z
            .object({ facets: z.array(z.string()).nullish(), timeWindow: z.object({ end: z.number() }).nullish() })
            .nullish(),
        }),
      }),
    }),
  }),
});

const errorsOf = (body: string) => refusalSchema.safeParse(parseJson(body)?.document).data?.errors ?? [];

/** What New Relic says of a question it refuses; empty when the body is not its own. */
export function refusalText(body: string): string {
  return errorsOf(body)
    .map(({ message }) => message)
    .join("; ");
}

const UNAUTHORIZED = /ACCESS|AUTH|FORBIDDEN/;
const BUSY = /TIMEOUT|TOO_MANY|RATE|LIMIT|UNAVAILABLE|SERVER_ERROR/;

/** What errors mean that came with status 200. An error beside results is one too: what is missing is not known. */
export function meaningOf(status: number, body: string): Meaning | null {
  const errors = errorsOf(body);
  if (status !== 200 || errors.length === 0) return null;
  const classes = errors.map(({ extensions }) => extensions?.errorClass ?? "");
  if (classes.some((one) => UNAUTHORIZED.test(one))) return "unauthorized";
  return classes.some((one) => BUSY.test(one)) ? "busy" : "rejected";
}

/** Columns that tell what a row is about, and hold no number that was asked for. */
const ABOUT = ["beginTimeSeconds", "endTimeSeconds", "facet", "comparison", "inspectedCount"];

/** The number of a row: its only column, or the only member of that column, as percentiles are written. */
function valueOf(row: Row, facets: readonly string[]): { readonly value: unknown } | NoValue {
  const columns = Object.keys(row).filter((name) => !ABOUT.includes(name) && !facets.includes(name));
  const [column] = columns;
  if (column === undefined || columns.length > 1) {
    const reason = `found ${columns.length} numbers in a row (${quote(columns)}), expected one; select one`;
    return { kind: "error", reason };
  }
  const found = row[column];
  if (typeof found !== "object" || found === null) return { value: found };
  const members: readonly unknown[] = Object.values(found);
  if (members.length === 1) return { value: members[0] };
  return { kind: "error", reason: `found ${members.length} numbers in ${quote(column)}, expected one; select one` };
}

/** Begin and end of a row of `TIMESERIES`; the end of the whole window for an answer without one. */
function spanOf(row: Row, endMs: number | undefined): Pick<Point, "startMs" | "endMs"> | NoValue {
  const { beginTimeSeconds: begin, endTimeSeconds: end } = row;
  if (typeof begin === "number" && typeof end === "number") return { startMs: begin * 1_000, endMs: end * 1_000 };
  if (begin === undefined && end === undefined && endMs !== undefined) return { startMs: endMs, endMs };
  const reason = `a row has the times ${quote([begin, end])} and the answer no end of its window; add TIMESERIES`;
  return { kind: "error", reason };
}

/** The newest number of the only series of an answer. */
export function readAnswer(body: string, order: MetricOrder, now: EpochMs): MetricReading {
  const parsed = parseJson(body);
  if (parsed === null) return { kind: "error", reason: `not JSON: ${quote(body)}` };
  const answer = answerSchema.safeParse(parsed.document).data;
  if (answer === undefined) return { kind: "error", reason: `no answer of a NRQL query: ${quote(parsed.document)}` };
  const { results, metadata } = answer.data.actor.account.nrql;
  const isSeries = results.some((row) => "beginTimeSeconds" in row);
  // Without times, every row is a number of its own.
  const names = results.map((row, index) => JSON.stringify([row["facet"], row["comparison"], isSeries ? 0 : index]));
  const miscount = judgeCount(new Set(names).size);
  if (miscount !== null) return miscount;
  const points: Point[] = [];
  for (const row of results) {
    const found = valueOf(row, metadata?.facets ?? []);
    const span = spanOf(row, metadata?.timeWindow?.end);
    if ("kind" in found) return found;
    if ("kind" in span) return span;
    points.push({ ...span, ...found });
  }
  return readSeries(points, order, now);
}
