import { isAbsent, readNumber } from "../../../core/trace/wire-value.ts";
import {
  type ArmFields,
  firstOf,
  firstPresent,
  type LogEvent,
  type LogFormat,
  type LogRecord,
  membersOf,
  msOfSeconds,
  recordsIn,
  statusOf,
  usualArm,
} from "./log-format.ts";

type ErrorClass = NonNullable<LogEvent["error_class"]>;
const failed = (stage: ErrorClass["stage"], family: string, code: string): ErrorClass => ({ stage, family, code });

/**
 * What response flags say of the upstream, by their short and long names; the rest is told by the status.
 * @source Envoy documentation, access log `%RESPONSE_FLAGS%` and `ResponseFlags`; v3 API
 */
const FAILURES: Readonly<Record<string, ErrorClass>> = {
  UF: failed("connect", "network", "UF"),
  UH: failed("connect", "network", "UH"),
  UC: failed("headers", "network", "UC"),
  UR: failed("body", "network", "UR"),
  UT: failed("headers", "timeout", "UT"),
  SI: failed("body", "timeout", "SI"),
  DT: failed("headers", "timeout", "DT"),
  UMSDR: failed("body", "timeout", "UMSDR"),
};
const LONG_NAMES: Readonly<Record<string, string>> = {
  upstreamconnectionfailure: "UF",
  nohealthyupstream: "UH",
  upstreamconnectiontermination: "UC",
  upstreamremotereset: "UR",
  upstreamrequesttimeout: "UT",
  streamidletimeout: "SI",
  durationtimeout: "DT",
  upstreammaxstreamdurationreached: "UMSDR",
  downstreamconnectiontermination: "DC",
};
const CLIENT_GONE = "DC";
const CLIENT_CLOSED = 499;

const NO_FLAGS: readonly string[] = [];

/** `UF,URX`, a list of long names, or an object of flags. */
function flagsOf(flags: unknown): readonly string[] {
  if (isAbsent(flags)) return NO_FLAGS;
  if (typeof flags === "string") return flags.split(",").map(shortName);
  const members = membersOf(flags);
  if (members === null) return NO_FLAGS;
  return Object.keys(members).flatMap((name) => (members[name] === true ? [shortName(name)] : NO_FLAGS));
}

function shortName(name: string): string {
  return LONG_NAMES[name.trim().replaceAll("_", "").toLowerCase()] ?? name.trim();
}

function failureOf(flags: readonly string[]): ErrorClass | undefined {
  const cause = flags.find((name) => FAILURES[name] !== undefined);
  return cause === undefined || flags.includes(CLIENT_GONE) ? undefined : FAILURES[cause];
}

/** `0.123s` or `{seconds, nanos}` as protobuf writes durations in JSON. */
function durationMs(value: unknown): unknown {
  if (typeof value === "string") return msOfSeconds(value.endsWith("s") ? value.slice(0, -1) : value);
  const parts = membersOf(value);
  if (parts === null) return value;
  const seconds = readNumber(parts["seconds"] ?? 0);
  const nanos = readNumber(parts["nanos"] ?? 0);
  return typeof seconds === "number" && typeof nanos === "number" ? seconds * 1_000 + nanos / 1e6 : value;
}

function timeOf(value: unknown): unknown {
  return membersOf(value) === null ? value : durationMs(value);
}

/** Protobuf in JSON has the names of its fields in either spelling. */
function readEntry(common: LogRecord, entry: LogRecord, armFields: ArmFields | null): LogEvent {
  const response = membersOf(entry["response"]);
  const request = membersOf(entry["request"]);
  const code = firstPresent(response?.["response_code"], response?.["responseCode"]);
  const flags = flagsOf(firstPresent(common["response_flags"], common["responseFlags"]));
  return {
    ts: timeOf(firstPresent(common["start_time"], common["startTime"])),
    arm: armOfEntry(common, response, armFields),
    status: flags.includes(CLIENT_GONE) ? CLIENT_CLOSED : statusOf(membersOf(code)?.["value"] ?? code),
    error_class: failureOf(flags),
    latency_ms: durationMs(latencyOf(common)),
    event_id: firstPresent(request?.["request_id"], request?.["requestId"]),
  };
}

function armOfEntry(common: LogRecord, response: LogRecord | null, armFields: ArmFields | null): unknown {
  const headers = membersOf(firstPresent(response?.["response_headers"], response?.["responseHeaders"]));
  const answered = headers === null ? undefined : armIn(headers, armFields);
  return answered ?? armIn(common, armFields);
}

function latencyOf(common: LogRecord): unknown {
  const down = firstPresent(common["time_to_last_downstream_tx_byte"], common["timeToLastDownstreamTxByte"]);
  return down ?? firstPresent(common["time_to_last_upstream_rx_byte"], common["timeToLastUpstreamRxByte"]);
}

function armIn(record: LogRecord, armFields: ArmFields | null): unknown {
  if (armFields !== null) return firstOf(record, armFields);
  return usualArm(record) ?? firstPresent(record["upstream_cluster"], record["upstreamCluster"]);
}

/** A line of a file log, its operators under their own names. */
function readLine(entry: LogRecord, armFields: ArmFields | null): LogEvent {
  const flags = flagsOf(entry["response_flags"]);
  const status = firstPresent(entry["response_code"], entry["status"]);
  return {
    ts: firstPresent(entry["start_time"], entry["ts"], entry["timestamp"], entry["@timestamp"]),
    arm: armIn(entry, armFields),
    status: flags.includes(CLIENT_GONE) ? CLIENT_CLOSED : statusOf(status),
    error_class: failureOf(flags),
    latency_ms: firstPresent(entry["duration"], entry["duration_ms"], entry["latency_ms"]),
    cold_start: entry["cold_start"],
    probe: firstPresent(entry["probe"], entry["x_warm"], entry["x-warm"]),
    sticky: entry["sticky"],
    event_id: firstPresent(entry["request_id"], entry["x_request_id"], entry["x-request-id"]),
  };
}

function takeEntry(entry: LogRecord, armFields: ArmFields | null, take: (event: LogEvent) => void): void {
  const common = membersOf(firstPresent(entry["common_properties"], entry["commonProperties"]));
  take(common === null ? readLine(entry, armFields) : readEntry(common, entry, armFields));
}

/**
 * Envoy: entries of its access log service as JSON (one, or a message of many), or a file log with `json_format`, its
 * operators under their own names.
 * @source Envoy documentation, `envoy.data.accesslog.v3.HTTPAccessLogEntry`; access log usage, "JSON format"
 */
export const envoy: LogFormat = {
  lines: "json",
  read(record, armFields, take) {
    const logs = membersOf(firstPresent(record["http_logs"], record["httpLogs"]));
    if (logs === null) {
      takeEntry(record, armFields, take);
      return null;
    }
    const entries = firstPresent(logs["log_entry"], logs["logEntry"]);
    const records = entries === undefined ? null : recordsIn(entries);
    if (records === null) return "found http_logs without log_entry, expected a list of entries";
    for (const entry of records) takeEntry(entry, armFields, take);
    return null;
  },
};
