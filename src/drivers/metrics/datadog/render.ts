import { z } from "zod";
import type { EpochMs } from "../../../core/unit.ts";
import type { MetricOrder, MetricReading } from "../../../ports/metric-source.ts";
import { parseJson, quote } from "../document.ts";
import { judgeCount, readSeries } from "../series.ts";

/** Milliseconds, though they mark the beginning of intervals that `interval` gives in seconds. */
const point = z.tuple([z.number(), z.unknown()]);

/** @source Datadog API reference, "Query timeseries points" (v1): answer, and `{errors: [...]}` of a refusal */
const answerSchema = z.object({
  status: z.literal("ok"),
  error: z.string().nullish(),
  message: z.string().nullish(),
  series: z.array(z.object({ interval: z.number().positive(), pointlist: z.array(point) })),
});
const failureSchema = z.object({ status: z.literal("error"), error: z.string() });
const refusalSchema = z.object({ errors: z.array(z.string()) });

/** What Datadog says of a request it refuses; empty when the body is not its own. */
export function refusalText(body: string): string {
  const document = parseJson(body)?.document;
  const refusal = refusalSchema.safeParse(document).data;
  return refusal?.errors.join("; ") ?? failureSchema.safeParse(document).data?.error ?? "";
}

/** The newest number of the only series of an answer. */
export function readAnswer(body: string, order: MetricOrder, now: EpochMs): MetricReading {
  const parsed = parseJson(body);
  if (parsed === null) return { kind: "error", reason: `not JSON: ${quote(body)}` };
  const failure = failureSchema.safeParse(parsed.document).data;
  if (failure !== undefined) return { kind: "error", reason: `Datadog could not answer: ${quote(failure.error)}` };
  const answer = answerSchema.safeParse(parsed.document).data;
  if (answer === undefined) return { kind: "error", reason: `no answer of Datadog's query API: ${quote(body)}` };
  // An answer that tells an error may lack what the error is about.
  if (answer.error) return { kind: "error", reason: `Datadog answered in part: ${quote(answer.error)}` };
  const [series] = answer.series;
  const miscount = judgeCount(answer.series.length);
  if (series === undefined || miscount !== null) return miscount ?? { kind: "no-data", reason: "no series" };
  const lengthMs = series.interval * 1_000;
  const points = series.pointlist.map(([startMs, value]) => ({ startMs, endMs: startMs + lengthMs, value }));
  return readSeries(points, order, now);
}
