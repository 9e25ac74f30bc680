import { isAbsent, readNumber } from "../../../core/trace/wire-value.ts";
import { firstOf, type LogFormat, type LogRecord, msOfSeconds } from "./log-format.ts";

const FIELDS = 19;
const QUOTE = 34;
const SPACE = 32;
const BACKSLASH = 92;
const CLIENT_GONE = "460";
const TARGET_GROUP = ":targetgroup/";

/** Fields parted by spaces; one in quotes may hold spaces, and quotes after a backslash. */
function partsOf(line: string): readonly string[] {
  const parts: string[] = [];
  let at = 0;
  while (parts.length < FIELDS && at < line.length) {
    if (line.charCodeAt(at) === SPACE) {
      at++;
      continue;
    }
    const isQuoted = line.charCodeAt(at) === QUOTE;
    const start = isQuoted ? at + 1 : at;
    const end = isQuoted ? endOfQuoted(line, start) : line.indexOf(" ", start);
    const stop = end < 0 ? line.length : end;
    parts.push(line.slice(start, stop));
    at = stop + 1;
  }
  return parts;
}

/** Place of the quote that ends a text; -1 without one. */
function endOfQuoted(line: string, start: number): number {
  let end = line.indexOf('"', start);
  while (end > start && isEscaped(line, start, end)) end = line.indexOf('"', end + 1);
  return end;
}

function isEscaped(line: string, start: number, quote: number): boolean {
  let at = quote;
  while (at > start && line.charCodeAt(at - 1) === BACKSLASH) at--;
  return (quote - at) % 2 === 1;
}

/** @source Elastic Load Balancing, Application Load Balancers, "Access log entries"; later fields are appended */
function fieldsOf(line: string): LogRecord | string {
  const parts = partsOf(line);
  if (parts.length < FIELDS) return `found ${parts.length} fields, expected at least ${FIELDS}, as an ALB writes them`;
  return {
    type: parts[0],
    time: parts[1],
    elb: parts[2],
    client_port: parts[3],
    target_port: parts[4],
    request_processing_time: parts[5],
    target_processing_time: parts[6],
    response_processing_time: parts[7],
    elb_status_code: parts[8],
    target_status_code: parts[9],
    received_bytes: parts[10],
    sent_bytes: parts[11],
    request: parts[12],
    user_agent: parts[13],
    ssl_cipher: parts[14],
    ssl_protocol: parts[15],
    target_group_arn: parts[16],
    trace_id: parts[17],
    domain_name: parts[18],
  };
}

/** Sum of the three times in ms; -1 stands where the request went no further. */
function latencyMs(record: LogRecord): unknown {
  const { request_processing_time, target_processing_time, response_processing_time } = record;
  let seconds = 0;
  for (const given of [request_processing_time, target_processing_time, response_processing_time]) {
    const part = readNumber(given);
    if (typeof part !== "number") return given;
    if (part < 0) return undefined;
    seconds += part;
  }
  return msOfSeconds(seconds);
}

/** Name of the target group in its ARN; what is none as it is. */
function groupOf(arn: string): string {
  const at = arn.indexOf(TARGET_GROUP);
  const start = at + TARGET_GROUP.length;
  const end = arn.indexOf("/", start);
  return at < 0 || end <= start ? arn : arn.slice(start, end);
}

/** Application Load Balancer. The arm is the name of the target group. */
export const alb: LogFormat = {
  lines: "text",
  fieldsOf,
  read(record, armFields, take) {
    const status = record["elb_status_code"];
    const arn = String(record["target_group_arn"]);
    if (armFields === null && isAbsent(arn)) return null; // Answered by the balancer itself, for no arm.
    take({
      ts: record["time"],
      arm: armFields === null ? groupOf(arn) : firstOf(record, armFields),
      status: status === CLIENT_GONE ? 499 : status,
      latency_ms: latencyMs(record),
      trace_id: record["trace_id"],
    });
    return null;
  },
};
