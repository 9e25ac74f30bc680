import { z } from "zod";
import type { EpochMs } from "../../../core/unit.ts";
import type { MetricOrder, MetricReading } from "../../../ports/metric-source.ts";
import { parseJson, quote } from "../document.ts";
import { judgeCount, readSeries } from "../series.ts";

const messages = z.array(z.object({ Code: z.string().optional(), Value: z.string().optional() })).nullish();

/** @source Amazon CloudWatch API reference, "GetMetricData" and "MetricDataResult"; AWS JSON 1.0 */
const answerSchema = z.object({
  MetricDataResults: z.array(
    z.object({
      Label: z.string().nullish(),
      StatusCode: z.string().nullish(),
      Timestamps: z.array(z.number()).nullish(),
      Values: z.array(z.unknown()).nullish(),
      Messages: messages,
    }),
  ),
  NextToken: z.string().nullish(),
  Messages: messages,
});
const refusalSchema = z.object({ __type: z.string(), message: z.string().optional(), Message: z.string().optional() });

const querySchema = z.looseObject({
  Id: z.string(),
  Expression: z.string().optional(),
  MetricStat: z.looseObject({ Period: z.int().positive() }).optional(),
  Period: z.int().positive().optional(),
  ReturnData: z.boolean().optional(),
});

const PERIOD_S = 60;

/** The queries of a reading, and the length of their intervals in milliseconds. */
export type Queries = { readonly list: readonly unknown[]; readonly periodMs: number } | { readonly problem: string };

/** An expression stands for itself with a period of a minute; a list is sent as it is. */
export function parseQueries(query: string): Queries {
  const text = query.trim();
  if (!text.startsWith("[")) {
    const list = [{ Id: "sluice", Expression: text, Period: PERIOD_S }];
    return { list, periodMs: PERIOD_S * 1_000 };
  }
  const list = z.array(querySchema).min(1).safeParse(parseJson(text)?.document).data;
  if (list === undefined) {
    return { problem: `the query begins with "[" and is no JSON list of metric data queries: ${quote(text)}` };
  }
  const returned = list.filter(({ ReturnData = true }) => ReturnData).length;
  if (returned !== 1) return { problem: `${returned} of the queries return data, expected one; set ReturnData: false` };
  // A point of an expression is whole when the longest interval under it is.
  const periods = list.flatMap(({ Period, MetricStat }) =>
    [Period, MetricStat?.Period].filter((one) => one !== undefined),
  );
  return { list, periodMs: Math.max(...(periods.length === 0 ? [PERIOD_S] : periods)) * 1_000 };
}

const codeOf = (type: string) => type.slice(type.lastIndexOf("#") + 1);

/** What CloudWatch says of a request it refuses; empty when the body is not its own. */
export function refusalText(body: string): string {
  const refusal = refusalSchema.safeParse(parseJson(body)?.document).data;
  return refusal === undefined ? "" : `${codeOf(refusal.__type)}: ${refusal.message ?? refusal.Message ?? ""}`;
}

const BUSY = /^(Throttling|ThrottlingException|ThrottledException|RequestLimitExceeded|LimitExceeded|TooManyRequests)/;
const UNAUTHORIZED =
  /^(AccessDenied|UnrecognizedClient|InvalidClientTokenId|IncompleteSignature|SignatureDoesNotMatch|ExpiredToken|MissingAuthenticationToken|InvalidSignature|NotAuthorized|OptInRequired|RequestExpired)/;

/** Throttling and bad credentials come with status 400 too. @source CloudWatch API reference, "Common Errors" */
export function meaningOf(_status: number, body: string): "unauthorized" | "busy" | null {
  const type = refusalSchema.safeParse(parseJson(body)?.document).data?.__type;
  if (type === undefined) return null;
  const code = codeOf(type);
  if (BUSY.test(code)) return "busy";
  return UNAUTHORIZED.test(code) ? "unauthorized" : null;
}

type Told = z.infer<typeof messages>;
const words = (told: Told) => (told ?? []).map(({ Code = "", Value = "" }) => `${Code} ${Value}`.trim()).join("; ");

/** The newest number of the only result of an answer. What was returned in part is an error. */
export function readAnswer(body: string, periodMs: number, order: MetricOrder, now: EpochMs): MetricReading {
  const parsed = parseJson(body);
  if (parsed === null) return { kind: "error", reason: `not JSON: ${quote(body)}` };
  const answer = answerSchema.safeParse(parsed.document).data;
  if (answer === undefined) return { kind: "error", reason: `no answer of GetMetricData: ${quote(body)}` };
  const general = words(answer.Messages);
  if (general !== "") return { kind: "error", reason: `CloudWatch answered in part: ${quote(general)}` };
  if (answer.NextToken) {
    return {
      kind: "error",
      reason: "the answer goes on in a further page, expected one series; aggregate in the query",
    };
  }
  const [result] = answer.MetricDataResults;
  const miscount = judgeCount(answer.MetricDataResults.length);
  if (result === undefined || miscount !== null) return miscount ?? { kind: "no-data", reason: "no series" };
  const { StatusCode, Timestamps, Values, Messages } = result;
  if (StatusCode !== "Complete") {
    const why = words(Messages);
    const reason = `the status of the data is ${quote(StatusCode ?? null)}, expected "Complete"${why && `: ${quote(why)}`}`;
    return { kind: "error", reason };
  }
  const [times, values] = [Timestamps ?? [], Values ?? []];
  if (times.length !== values.length) {
    return { kind: "error", reason: `found ${times.length} times and ${values.length} values, expected as many` };
  }
  const points = times.map((seconds, index) => {
    const startMs = seconds * 1_000;
    return { startMs, endMs: startMs + periodMs, value: values[index] };
  });
  return readSeries(points, order, now);
}
