import { ARM_FIELDS, cacheOf, firstOf, type LogFormat, type LogRecord, msOfSeconds, statusOf } from "./log-format.ts";

const ARMS = [...ARM_FIELDS, "x-host-header", "cs(Host)"];
const FIELDS_LINE = "#Fields:";
/** @source Amazon CloudFront Developer Guide, "Standard logs: log file fields", version 1.0 */
const STANDARD =
  "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end";
const CLIENT_GONE = "ClientCommError";

/** Reads lines of fields by the names their own header gives; each file brings one, and files are often joined. */
function lineParser(): (line: string) => LogRecord | string | null {
  let names = STANDARD.split(" ");
  return (line) => {
    if (line.startsWith("{")) return parseRecord(line);
    if (line.startsWith("#")) {
      if (line.startsWith(FIELDS_LINE)) names = line.slice(FIELDS_LINE.length).trim().split(/\s+/);
      return null;
    }
    const values = line.split("\t");
    if (values.length !== names.length) return `found ${values.length} fields, expected ${names.length} parted by tabs`;
    const record: Record<string, string> = {};
    for (let i = 0; i < names.length; i++) record[names[i] as string] = values[i] as string;
    return record;
  };
}

function parseRecord(line: string): LogRecord | string {
  try {
    return JSON.parse(line) as LogRecord;
  } catch (error) {
    return (error as Error).message;
  }
}

/** CloudFront standard logs, version 1 (W3C, tabs) and version 2 (the same names as JSON or W3C). */
export function cloudfront(): LogFormat {
  return {
    lines: "text",
    fieldsOf: lineParser(),
    read(record, armFields, take) {
      const isGone = record["x-edge-detailed-result-type"] === CLIENT_GONE;
      const moment = firstOf(record, ["timestamp(ms)", "timestamp"]);
      take({
        ts: moment ?? `${record["date"]}T${record["time"]}Z`,
        arm: firstOf(record, armFields ?? ARMS),
        status: isGone ? 499 : statusOf(record["sc-status"]),
        latency_ms: msOfSeconds(record["time-taken"]),
        cache: cacheOf(record["x-edge-result-type"]),
        event_id: record["x-edge-request-id"],
      });
      return null;
    },
  };
}
