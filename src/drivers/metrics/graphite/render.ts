import { z } from "zod";
import type { EpochMs } from "../../../core/unit.ts";
import type { MetricOrder, MetricReading } from "../../../ports/metric-source.ts";
import { parseJson, quote } from "../document.ts";
import { judgeCount, readSeries, stepMs } from "../series.ts";

/**
 * The value, and the second in which its interval began.
 * @source Graphite documentation 1.1, "The Render URL API": JSON; missing intervals are null
 */
const datapoint = z.tuple([z.unknown(), z.number()]);
const answerSchema = z.array(z.object({ target: z.string(), datapoints: z.array(datapoint) }));

const DETAIL_CHARS_MAX = 200;

/** The line of a refusal; empty for a page, whose words are a stack of Python calls. */
export function refusalText(body: string): string {
  const text = body.trim();
  return text.startsWith("<") || text.includes("Traceback") ? "" : text.slice(0, DETAIL_CHARS_MAX);
}

/** The newest number of the only series of an answer. */
export function readAnswer(body: string, order: MetricOrder, now: EpochMs): MetricReading {
  const parsed = parseJson(body);
  // Graphite writes NaN as it is, which is no JSON.
  if (parsed === null) return { kind: "error", reason: `not JSON: ${quote(body)}` };
  const answer = answerSchema.safeParse(parsed.document).data;
  if (answer === undefined) return { kind: "error", reason: `no answer of the render API: ${quote(parsed.document)}` };
  const [series] = answer;
  const miscount = judgeCount(answer.length);
  if (series === undefined || miscount !== null) return miscount ?? { kind: "no-data", reason: "no series" };
  const { datapoints } = series;
  const lengthMs = stepMs(datapoints.map(([, startS]) => startS * 1_000));
  if (lengthMs === null) {
    const reason = `${datapoints.length} points: how long an interval is, and whether it has ended, cannot be told`;
    return { kind: "no-data", reason };
  }
  const points = datapoints.map(([value, startS]) => {
    const startMs = startS * 1_000;
    return { startMs, endMs: startMs + lengthMs, value };
  });
  return readSeries(points, order, now);
}
