import { readNumber, readText, UNREADABLE } from "../../../core/trace/wire-value.ts";
import { GEN_AI, type ModelCalls, modelCallOf, withCall } from "./gen-ai.ts";
import {
  firstOf,
  firstPresent,
  type LogEvent,
  type LogFormat,
  type LogRecord,
  membersOf,
  recordsIn,
  usualArm,
} from "./log-format.ts";

const USUAL: ReadonlySet<string> = new Set([
  "sluice.arm",
  "arm",
  "variant",
  "x_sluice_arm",
  "x-sluice-arm",
  "service.version",
  "http.response.status_code",
  "http.status_code",
  "rpc.grpc.status_code",
  "error.type",
  "faas.coldstart",
  "sluice.latency_ms",
  "sluice.probe",
  "sluice.sticky",
  "sluice.first_token_ms",
  ...GEN_AI,
]);

/** Attributes that are looked at, by name: those of the span before those of its resource. */
function attributesOf(span: LogRecord, resource: LogRecord | null, names: ReadonlySet<string>): LogRecord {
  const found: Record<string, unknown> = {};
  addAttributes(found, recordsIn(span["attributes"]), names);
  if (resource !== null) addAttributes(found, recordsIn(resource["attributes"]), names);
  return found;
}

function addAttributes(
  found: Record<string, unknown>,
  list: readonly LogRecord[] | null,
  names: ReadonlySet<string>,
): void {
  for (const { key, value } of list ?? []) {
    if (typeof key === "string" && names.has(key) && !(key in found)) found[key] = valueOf(membersOf(value));
  }
}

/** An attribute's value is the one member of an object, whatever its type is called. */
function valueOf(members: LogRecord | null): unknown {
  if (members === null) return undefined;
  return members["stringValue"] ?? members["intValue"] ?? Object.values(members)[0];
}

/** A span says how it ended by its HTTP status, its gRPC status, or its own status alone. */
function isFailed(span: LogRecord, grpc: unknown): boolean {
  if (grpc !== undefined) return readNumber(grpc) !== 0;
  const code = membersOf(span["status"])?.["code"];
  return code === 2 || code === "STATUS_CODE_ERROR";
}

function failureOf(attributes: LogRecord, grpc: unknown): LogEvent["error_class"] {
  const said = readText(grpc ?? attributes["error.type"]);
  const code = said === null || said === UNREADABLE ? "error" : said;
  return { stage: "headers", family: grpc === undefined ? "other" : "grpc", code };
}

/** Nanoseconds are beyond what a number holds exactly, so the text is read in two parts. */
function msOf(nanoseconds: unknown): number {
  const text = typeof nanoseconds === "number" ? String(nanoseconds) : nanoseconds;
  if (typeof text !== "string") return Number.NaN;
  const cut = text.length - 6;
  return cut < 1 ? Number.NaN : wholeNumber(text, 0, cut) + wholeNumber(text, cut, text.length) / 1e6;
}

/** Digits of a text from one place to another as a number; NaN when there is anything else. */
function wholeNumber(text: string, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    number = number * 10 + digit;
  }
  return number;
}

function armOf(attributes: LogRecord): unknown {
  return firstPresent(attributes["sluice.arm"], usualArm(attributes), attributes["service.version"]);
}

function eventOf(span: LogRecord, attributes: LogRecord, arm: unknown): LogEvent {
  const [from, to] = [msOf(span["startTimeUnixNano"]), msOf(span["endTimeUnixNano"])];
  const grown = readNumber(attributes["sluice.latency_ms"]);
  const status = firstPresent(attributes["http.response.status_code"], attributes["http.status_code"]);
  const grpc = firstPresent(attributes["rpc.grpc.status_code"]);
  const failed = status === undefined && isFailed(span, grpc);
  return {
    ts: Number.isNaN(to) ? span["endTimeUnixNano"] : to,
    arm,
    status: status ?? (failed ? undefined : 200),
    error_class: failed ? failureOf(attributes, grpc) : undefined,
    latency_ms: grown === null || grown === UNREADABLE ? to - from : grown,
    cold_start: attributes["faas.coldstart"],
    probe: attributes["sluice.probe"],
    sticky: attributes["sluice.sticky"],
    trace_id: span["traceId"],
    span_id: span["spanId"],
  };
}

const NO_LIST = "found resourceSpans, scopeSpans or spans that are no list of objects, expected an export as OTLP JSON";

/** Model calls of the requests of one export by trace: they are spans of clients, below the one that is the request. */
type CallsByTrace = ReadonlyMap<unknown, ModelCalls>;

function takeCall(calls: Map<unknown, ModelCalls>, span: LogRecord): void {
  const { kind, traceId } = span;
  // An agent's own span tells the sum of its calls once more.
  if (typeof traceId !== "string" || (kind !== 3 && kind !== "SPAN_KIND_CLIENT")) return;
  const call = modelCallOf(attributesOf(span, null, GEN_AI));
  if (call !== null) calls.set(traceId, withCall(calls.get(traceId), call));
}

function toldOf(span: LogRecord, attributes: LogRecord, calls: CallsByTrace): Partial<LogEvent> {
  const first = attributes["sluice.first_token_ms"];
  const own = modelCallOf(attributes) ?? undefined;
  // A request that says its own sum is not counted twice.
  return {
    ...(own ?? calls.get(span["traceId"])),
    ...(first === undefined ? {} : { stream: { first_token_ms: first } }),
  };
}

function isServer({ kind }: LogRecord): boolean {
  return kind === 2 || kind === "SPAN_KIND_SERVER";
}

/**
 * OpenTelemetry spans as the file exporter and OTLP/HTTP write them: a request of resource spans a line. Spans of
 * servers are requests; the others are passed over.
 * @source OpenTelemetry, "OTLP/JSON"; semantic conventions for HTTP, gRPC and FaaS spans 1.3x
 */
export const otlp: LogFormat = {
  lines: "json",
  read(record, armFields, take) {
    if (!Array.isArray(record["resourceSpans"]))
      return "found no resourceSpans, expected an export of spans as OTLP JSON";
    const names = armFields === null ? USUAL : new Set([...USUAL, ...armFields]);
    const resources = recordsIn(record["resourceSpans"]);
    const requests: (readonly [span: LogRecord, resource: LogRecord | null])[] = [];
    const calls = new Map<unknown, ModelCalls>();
    for (const { resource, scopeSpans } of resources ?? []) {
      const scopes = recordsIn(scopeSpans);
      if (scopes === null) return NO_LIST;
      for (const scope of scopes) {
        const spans = recordsIn(scope["spans"]);
        if (spans === null) return NO_LIST;
        for (const span of spans) {
          if (isServer(span)) requests.push([span, membersOf(resource)]);
          else takeCall(calls, span);
        }
      }
    }
    for (const [span, resource] of requests) {
      const attributes = attributesOf(span, resource, names);
      const arm = armFields === null ? armOf(attributes) : firstOf(attributes, armFields);
      take({ ...eventOf(span, attributes, arm), ...toldOf(span, attributes, calls) });
    }
    return resources === null ? NO_LIST : null;
  },
};
