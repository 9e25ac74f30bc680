import { timestampMs } from "../../../core/trace/timestamp.ts";
import {
  type ArmFields,
  cacheOf,
  firstOf,
  firstPresent,
  type LogFormat,
  type LogRecord,
  membersOf,
  statusOf,
  usualArm,
} from "./log-format.ts";

/** The arm that a custom field tells, or the record itself; the usual one, or the one a person named. */
function armIn(record: LogRecord | null, armFields: ArmFields | null): unknown {
  if (record === null) return undefined;
  return armFields === null ? firstPresent(usualArm(record), record["ClientRequestHost"]) : firstOf(record, armFields);
}

/** Custom fields hold headers by lower-case name; the arm is looked for there first. */
function armOf(record: LogRecord, armFields: ArmFields | null): unknown {
  return (
    armIn(membersOf(record["ResponseHeaders"]), armFields) ??
    armIn(membersOf(record["RequestHeaders"]), armFields) ??
    armIn(membersOf(record["Cookies"]), armFields) ??
    armIn(record, armFields)
  );
}

/** Time between two times of any of Logpush's formats; undefined when one of them is none. */
function latencyMs(from: unknown, to: unknown): number | undefined {
  const tookMs = timestampMs(to) - timestampMs(from);
  return Number.isNaN(tookMs) ? undefined : Math.max(0, tookMs);
}

/**
 * Cloudflare Logpush, dataset `http_requests`.
 * @source Cloudflare documentation, Logs, "HTTP requests"; timestamp formats rfc3339, unix and unixnano
 */
export const cloudflare: LogFormat = {
  lines: "json",
  read(record, armFields, take) {
    const { EdgeStartTimestamp: start, EdgeEndTimestamp: end } = record;
    take({
      ts: firstPresent(end, start),
      arm: armOf(record, armFields),
      status: statusOf(record["EdgeResponseStatus"]),
      latency_ms: record["OriginResponseDurationMs"] ?? latencyMs(start, end),
      cache: cacheOf(record["CacheCacheStatus"]),
      event_id: record["RayID"],
    });
    return null;
  },
};
