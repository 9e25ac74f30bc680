import type { EpochMs } from "../../../core/unit.ts";
import { unreachable } from "../../../core/assert.ts";
import type { MetricReading } from "../../../ports/metric-source.ts";
import { type Answer, finiteNumber, momentMs, parseAnswer, type Sample } from "./answer.ts";

const SERIES_SHOWN_MAX = 3;
const QUOTE_CHARS_MAX = 200;

/** One number with the time it was computed for, or why there is none. The age of its samples is not judged here. */
export type Computed =
  | { readonly kind: "number"; readonly value: number; readonly atEpochMs: EpochMs }
  | Exclude<MetricReading, { kind: "value" }>;

const quote = (text: string) => (text.length > QUOTE_CHARS_MAX ? `${text.slice(0, QUOTE_CHARS_MAX)}…` : text);

function labelText(metric: Readonly<Record<string, string>>): string {
  const labels = Object.entries(metric).filter(([name]) => name !== "__name__");
  const text = `${metric["__name__"] ?? ""}{${labels.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(", ")}}`;
  return quote(text);
}

function numberOf([atSeconds, text]: Sample): Computed {
  const value = finiteNumber(text);
  if (value !== null) return { kind: "number", value, atEpochMs: momentMs(atSeconds) };
  return { kind: "error", reason: `the value is ${quote(text)}, which is no number to decide on` };
}

function numberOfVector(result: Extract<Answer["data"], { resultType: "vector" }>["result"]): Computed {
  const [only, ...others] = result;
  if (only === undefined) {
    const reason = "no series: nothing reports it, or a comparison left nothing over (write bool for 0 or 1)";
    return { kind: "no-data", reason };
  }
  if (others.length > 0) {
    const shown = result.slice(0, SERIES_SHOWN_MAX).map(({ metric }) => labelText(metric));
    const rest = result.length > shown.length ? ", …" : "";
    const found = `${result.length} series, expected one: ${shown.join(", ")}${rest}`;
    return { kind: "error", reason: `${found}; aggregate, as in sum(...)` };
  }
  if (only.value !== undefined) return numberOf(only.value);
  return { kind: "error", reason: "a histogram, expected a number; ask for one, as in histogram_quantile(...)" };
}

function numberOfData(data: Answer["data"]): Computed {
  switch (data.resultType) {
    case "scalar":
      return numberOf(data.result);
    case "vector":
      return numberOfVector(data.result);
    case "matrix":
      if (data.result.length === 0) return { kind: "no-data", reason: "no series in the range" };
      return { kind: "error", reason: "a range of samples, expected one number; fold it, as in avg_over_time(...)" };
    case "string":
      return { kind: "error", reason: "a string, expected one number" };
    default:
      return unreachable(data);
  }
}

/**
 * The number an answer gives, in the strict sense: exactly one series, a finite value, no warning. A warning says that
 * the result may be built from a part of the data, so it makes an error of a number; an info does not.
 */
export function readComputed(body: string): Computed {
  const answer = parseAnswer(body);
  if (answer === null) {
    const reason = `not an answer of Prometheus' query API: ${quote(body)}`;
    return { kind: "error", reason };
  }
  const { data, infos } = answer;
  const partial = answer.isPartial === true ? ["isPartial: the answer is of a part of the data"] : [];
  const warnings = [...answer.warnings, ...partial];
  const computed = numberOfData(data);
  const said = [...warnings.map((text) => `warning: ${text}`), ...infos.map((text) => `info: ${text}`)];
  const suffix = said.length === 0 ? "" : `; ${quote(said.join("; "))}`;
  if (computed.kind !== "number") return { ...computed, reason: computed.reason + suffix };
  if (warnings.length === 0) return computed;
  return { kind: "error", reason: `${computed.value} is not to be relied on${suffix}` };
}
