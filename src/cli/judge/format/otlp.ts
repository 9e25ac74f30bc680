import { readNumber, UNREADABLE } from "../../../core/trace/wire-value.ts";
import { ARM_FIELDS, firstOf, type LogEvent, type LogFormat, type LogRecord, membersOf } from "./log-format.ts";

const ARMS = ["sluice.arm", ...ARM_FIELDS, "service.version"];
const STATUSES = ["http.response.status_code", "http.status_code"];
const GRPC = "rpc.grpc.status_code";
const SERVER_KINDS: readonly unknown[] = [2, "SPAN_KIND_SERVER"];
const ERROR_CODES: readonly unknown[] = [2, "STATUS_CODE_ERROR"];

/** Attributes by name, those of the span before those of its resource. */
function attributesOf(...lists: readonly unknown[]): LogRecord {
  const found: Record<string, unknown> = {};
  for (const list of lists) {
    for (const { key, value } of (list ?? []) as readonly { key?: unknown; value?: unknown }[]) {
      const name = String(key);
      if (name in found) continue;
      const [only] = Object.values(membersOf(value) ?? {});
      found[name] = only;
    }
  }
  return found;
}

/** A span says how it ended by its HTTP status, its gRPC status, or its own status alone. */
function outcomeOf(span: LogRecord, attributes: LogRecord): Pick<LogEvent, "status" | "error_class"> {
  const status = firstOf(attributes, STATUSES);
  if (status !== undefined) return { status };
  const grpc = attributes[GRPC];
  const isFailed = grpc === undefined ? ERROR_CODES.includes(membersOf(span["status"])?.["code"]) : Number(grpc) !== 0;
  if (!isFailed) return { status: 200 };
  const code = String(grpc ?? attributes["error.type"] ?? "error");
  return { error_class: { stage: "headers", family: grpc === undefined ? "other" : "grpc", code } };
}

/** Nanoseconds are beyond what a number holds exactly, so milliseconds are cut off the text. */
function msOf(nanoseconds: unknown): number {
  const text = String(nanoseconds);
  return /^\d{7,}$/.test(text) ? Number(`${text.slice(0, -6)}.${text.slice(-6)}`) : Number.NaN;
}

function eventOf(span: LogRecord, resource: LogRecord | null, arms: readonly string[]): LogEvent {
  const attributes = attributesOf(span["attributes"], resource?.["attributes"]);
  const [from, to] = [msOf(span["startTimeUnixNano"]), msOf(span["endTimeUnixNano"])];
  const cold = attributes["faas.coldstart"];
  const grown = readNumber(attributes["sluice.latency_ms"]);
  return {
    ts: Number.isNaN(to) ? span["endTimeUnixNano"] : to,
    arm: firstOf(attributes, arms),
    latency_ms: grown === null || grown === UNREADABLE ? to - from : grown,
    cold_start: cold,
    probe: attributes["sluice.probe"],
    sticky: attributes["sluice.sticky"],
    trace_id: span["traceId"],
    span_id: span["spanId"],
    ...outcomeOf(span, attributes),
  };
}

/**
 * OpenTelemetry spans as the file exporter and OTLP/HTTP write them: a request of resource spans a line. Spans of
 * servers are requests; the others are passed over.
 * @source OpenTelemetry, "OTLP/JSON"; semantic conventions for HTTP, gRPC and FaaS spans 1.3x
 */
export const otlp: LogFormat = {
  lines: "json",
  read(record, armFields, take) {
    const resources = record["resourceSpans"];
    if (!Array.isArray(resources)) return "found no resourceSpans, expected an export of spans as OTLP JSON";
    const arms = armFields ?? ARMS;
    for (const { resource, scopeSpans } of resources as readonly LogRecord[]) {
      for (const { spans } of (scopeSpans ?? []) as readonly LogRecord[]) {
        for (const span of (spans ?? []) as readonly LogRecord[]) {
          if (SERVER_KINDS.includes(span["kind"])) take(eventOf(span, membersOf(resource), arms));
        }
      }
    }
    return null;
  },
};
