import { z } from "zod";
import type { EpochMs } from "../../../core/unit.ts";
import type { MetricOrder, MetricReading } from "../../../ports/metric-source.ts";
import { parseJson, quote } from "../document.ts";
import { judgeCount, readSeries, stepMs } from "../series.ts";

const series = z.object({
  columns: z.array(z.string()),
  values: z.array(z.array(z.unknown())).nullish(),
  partial: z.boolean().optional(),
});

/** @source InfluxDB 1.8 documentation, "HTTP API: /query": statements fail one by one within status 200 */
const answerSchema = z.object({
  results: z.array(
    z.object({ series: z.array(series).optional(), error: z.string().optional(), partial: z.boolean().optional() }),
  ),
  error: z.string().optional(),
});

/** The newest number of the only series of an answer. Its rows begin intervals when the query groups by time. */
export function readInfluxQl(body: string, order: MetricOrder, now: EpochMs): MetricReading {
  const parsed = parseJson(body);
  if (parsed === null) return { kind: "error", reason: `not JSON: ${quote(body)}` };
  const answer = answerSchema.safeParse(parsed.document).data;
  if (answer === undefined) return { kind: "error", reason: `no answer of the query API: ${quote(body)}` };
  const failure = answer.error ?? answer.results.find(({ error }) => error !== undefined)?.error;
  if (failure !== undefined) return { kind: "error", reason: `InfluxDB could not answer: ${quote(failure)}` };
  const found = answer.results.flatMap((one) => one.series ?? []);
  if ([...answer.results, ...found].some(({ partial }) => partial === true)) {
    return { kind: "error", reason: "the answer was cut by the server's row limit (partial); aggregate in the query" };
  }
  const [only] = found;
  const miscount = judgeCount(found.length);
  if (only === undefined || miscount !== null) return miscount ?? { kind: "no-data", reason: "no series" };
  const { columns, values } = only;
  if (columns.length !== 2 || columns[0] !== "time") {
    return { kind: "error", reason: `columns ${columns.join(" ")}, expected time and one field` };
  }
  const rows = values ?? [];
  if (rows.some(([time]) => typeof time !== "number")) {
    return { kind: "error", reason: `a time is ${quote(rows.find(([time]) => typeof time !== "number")?.[0])}` };
  }
  const lengthMs = /\bgroup\s+by\b[^)]*\btime\s*\(/i.test(order.query) ? stepMs(rows.map(([time]) => Number(time))) : 0;
  if (lengthMs === null) {
    return { kind: "no-data", reason: "one interval of `GROUP BY time` alone: whether it has ended cannot be told" };
  }
  const points = rows.map(([time, value]) => ({ startMs: Number(time), endMs: Number(time) + lengthMs, value }));
  return readSeries(points, order, now);
}
