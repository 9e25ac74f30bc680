import {
  type ArmFields,
  cacheOf,
  firstOf,
  firstPresent,
  type LogFormat,
  type LogRecord,
  msOfSeconds,
  statusOf,
  usualArm,
} from "./log-format.ts";

const FIELDS_LINE = "#Fields:";
/** @source Amazon CloudFront Developer Guide, "Standard logs: log file fields", version 1.0 */
const STANDARD =
  "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end";
const CLIENT_GONE = "ClientCommError";

/** Reads lines of fields by the names their own header gives; each file brings one, and files are often joined. */
function lineParser(): (line: string, armFields: ArmFields | null) => LogRecord | string | null {
  let columns = new Columns(STANDARD);
  return (line, armFields) => {
    if (line.startsWith("{")) return parseRecord(line);
    if (!line.startsWith("#")) return columns.recordOf(line, armFields);
    if (line.startsWith(FIELDS_LINE)) columns = new Columns(line.slice(FIELDS_LINE.length));
    return null;
  };
}

/** Where a header puts the fields that are read, of the thirty there are; -1 for one that it does not have. */
class Columns {
  readonly #names: readonly string[];
  readonly #places: readonly number[];

  constructor(header: string) {
    this.#names = header.trim().split(/\s+/);
    this.#places = READ.map((name) => this.#names.indexOf(name));
  }

  recordOf(line: string, armFields: ArmFields | null): LogRecord | string {
    const values = line.split("\t");
    const { length } = this.#names;
    if (values.length !== length) return `found ${values.length} fields, expected ${length} parted by tabs`;
    const record = recordOf(values, this.#places);
    if (armFields === null) return record;
    return { ...record, ...Object.fromEntries(armFields.map((name) => [name, values[this.#names.indexOf(name)]])) };
  }
}

const READ = [
  "date",
  "time",
  "timestamp(ms)",
  "timestamp",
  "sc-status",
  "time-taken",
  "x-edge-result-type",
  "x-edge-detailed-result-type",
  "x-edge-request-id",
  "arm",
  "variant",
  "x_sluice_arm",
  "x-sluice-arm",
  "x-host-header",
  "cs(Host)",
];

function recordOf(values: readonly string[], places: readonly number[]): LogRecord {
  const at = (column: number) => values[places[column] ?? -1];
  return {
    date: at(0),
    time: at(1),
    "timestamp(ms)": at(2),
    timestamp: at(3),
    "sc-status": at(4),
    "time-taken": at(5),
    "x-edge-result-type": at(6),
    "x-edge-detailed-result-type": at(7),
    "x-edge-request-id": at(8),
    arm: at(9),
    variant: at(10),
    x_sluice_arm: at(11),
    "x-sluice-arm": at(12),
    "x-host-header": at(13),
    "cs(Host)": at(14),
  };
}

function parseRecord(line: string): LogRecord | string {
  try {
    return JSON.parse(line) as LogRecord;
  } catch (error) {
    return (error as Error).message;
  }
}

function armOf(record: LogRecord, armFields: ArmFields | null): unknown {
  if (armFields !== null) return firstOf(record, armFields);
  return usualArm(record) ?? firstPresent(record["x-host-header"], record["cs(Host)"]);
}

/** CloudFront standard logs, version 1 (W3C, tabs) and version 2 (the same names as JSON or W3C). */
export function cloudfront(): LogFormat {
  return {
    lines: "text",
    fieldsOf: lineParser(),
    read(record, armFields, take) {
      const isGone = record["x-edge-detailed-result-type"] === CLIENT_GONE;
      const moment = firstPresent(record["timestamp(ms)"], record["timestamp"]);
      take({
        ts: moment ?? `${record["date"]}T${record["time"]}Z`,
        arm: armOf(record, armFields),
        status: isGone ? 499 : statusOf(record["sc-status"]),
        latency_ms: msOfSeconds(record["time-taken"]),
        cache: cacheOf(record["x-edge-result-type"]),
        event_id: record["x-edge-request-id"],
      });
      return null;
    },
  };
}
