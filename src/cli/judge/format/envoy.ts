import {
  ARM_FIELDS,
  type ArmFields,
  firstOf,
  type LogEvent,
  type LogFormat,
  type LogRecord,
  membersOf,
  msOfSeconds,
  statusOf,
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

/** `UF,URX`, a list of long names, or an object of flags. */
function flagsOf(flags: unknown): readonly string[] {
  if (typeof flags === "string") return flags.split(",").map(shortName);
  return Object.entries(membersOf(flags) ?? {}).flatMap(([name, value]) => (value === true ? [shortName(name)] : []));
}

function shortName(name: string): string {
  return LONG_NAMES[name.trim().replaceAll("_", "").toLowerCase()] ?? name.trim();
}

function outcomeOf(status: unknown, flags: unknown): Pick<LogEvent, "status" | "error_class"> {
  const names = flagsOf(flags);
  if (names.includes(CLIENT_GONE)) return { status: 499 };
  const cause = names.find((name) => FAILURES[name] !== undefined);
  return { status: statusOf(status), ...(cause === undefined ? {} : { error_class: FAILURES[cause] }) };
}

/** `0.123s` or `{seconds, nanos}` as protobuf writes durations in JSON. */
function durationMs(value: unknown): unknown {
  if (typeof value === "string") return msOfSeconds(value.endsWith("s") ? value.slice(0, -1) : value);
  const parts = membersOf(value);
  if (parts === null) return value;
  return Number(parts["seconds"] ?? 0) * 1_000 + Number(parts["nanos"] ?? 0) / 1e6;
}

function timeOf(value: unknown): unknown {
  return membersOf(value) === null ? value : durationMs(value);
}

/** Protobuf in JSON, with the names of its fields in either spelling. */
function pick(record: LogRecord | null, name: string): unknown {
  const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return firstOf(record, [name, camel]);
}

const ARMS = [...ARM_FIELDS, "upstream_cluster", "upstreamCluster"];

function readEntry(common: LogRecord, entry: LogRecord, armFields: ArmFields | null): LogEvent {
  const response = membersOf(entry["response"]);
  const request = membersOf(entry["request"]);
  const headers = membersOf(pick(response, "response_headers"));
  const code = pick(response, "response_code");
  const arms = armFields ?? ARMS;
  return {
    ts: timeOf(pick(common, "start_time")),
    arm: firstOf(headers, arms) ?? firstOf(common, arms),
    latency_ms: durationMs(
      pick(common, "time_to_last_downstream_tx_byte") ?? pick(common, "time_to_last_upstream_rx_byte"),
    ),
    event_id: pick(request, "request_id"),
    ...outcomeOf(membersOf(code)?.["value"] ?? code, pick(common, "response_flags")),
  };
}

/**
 * Envoy: entries of its access log service as JSON (one, or a message of many), or a file log with `json_format`, its
 * operators under their own names.
 * @source Envoy documentation, `envoy.data.accesslog.v3.HTTPAccessLogEntry`; access log usage, "JSON format"
 */
export const envoy: LogFormat = {
  lines: "json",
  read(record, armFields, take) {
    const logs = membersOf(pick(record, "http_logs"));
    const entries = logs === null ? [record] : pick(logs, "log_entry");
    if (!Array.isArray(entries)) return "found http_logs without log_entry, expected a list of entries";
    for (const entry of entries as readonly LogRecord[]) {
      const common = membersOf(pick(entry, "common_properties"));
      if (common !== null) take(readEntry(common, entry, armFields));
      else {
        take({
          ts: firstOf(entry, ["start_time", "ts", "timestamp", "@timestamp"]),
          arm: firstOf(entry, armFields ?? ARMS),
          latency_ms: firstOf(entry, ["duration", "duration_ms", "latency_ms"]),
          cold_start: entry["cold_start"],
          probe: firstOf(entry, ["probe", "x_warm", "x-warm"]),
          sticky: entry["sticky"],
          event_id: firstOf(entry, ["request_id", "x_request_id", "x-request-id"]),
          ...outcomeOf(firstOf(entry, ["response_code", "status"]), firstOf(entry, ["response_flags"])),
        });
      }
    }
    return null;
  },
};
