import { isAbsent, readNumber } from "../../../core/trace/wire-value.ts";
import { firstOf, type LogFormat, type LogRecord, msOfSeconds } from "./log-format.ts";

/** @source Elastic Load Balancing, Application Load Balancers, "Access log entries"; later fields are appended */
const NAMES = [
  "type",
  "time",
  "elb",
  "client_port",
  "target_port",
  "request_processing_time",
  "target_processing_time",
  "response_processing_time",
  "elb_status_code",
  "target_status_code",
  "received_bytes",
  "sent_bytes",
  "request",
  "user_agent",
  "ssl_cipher",
  "ssl_protocol",
  "target_group_arn",
  "trace_id",
  "domain_name",
] as const;
const FIELD = /"((?:[^"\\]|\\.)*)"|(\S+)/g;
const CLIENT_GONE = "460";
const TARGET_GROUP = /:targetgroup\/([^/]+)\//;
const TIMES = ["request_processing_time", "target_processing_time", "response_processing_time"];

function fieldsOf(line: string): LogRecord | string {
  const record: Record<string, string> = {};
  let count = 0;
  for (const [, quoted, bare] of line.matchAll(FIELD)) {
    const name = NAMES[count++];
    if (name === undefined) break;
    record[name] = quoted ?? bare ?? "";
  }
  return count < NAMES.length
    ? `found ${count} fields, expected at least ${NAMES.length}, as an ALB writes them`
    : record;
}

/** Sum of the three times in ms; -1 stands where the request went no further. */
function latencyMs(record: LogRecord): unknown {
  let seconds = 0;
  for (const name of TIMES) {
    const part = readNumber(record[name]);
    if (typeof part !== "number") return record[name];
    if (part < 0) return undefined;
    seconds += part;
  }
  return msOfSeconds(seconds);
}

/** Application Load Balancer. The arm is the name of the target group. */
export const alb: LogFormat = {
  lines: "text",
  fieldsOf,
  read(record, armFields, take) {
    const status = record["elb_status_code"];
    const group = String(record["target_group_arn"]);
    const arm = armFields === null ? (TARGET_GROUP.exec(group)?.[1] ?? group) : firstOf(record, armFields);
    if (armFields === null && isAbsent(group)) return null; // Answered by the balancer itself, for no arm.
    take({
      ts: record["time"],
      arm,
      status: status === CLIENT_GONE ? 499 : status,
      latency_ms: latencyMs(record),
      trace_id: record["trace_id"],
    });
    return null;
  },
};
