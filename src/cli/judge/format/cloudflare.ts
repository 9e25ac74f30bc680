import { ARM_FIELDS, cacheOf, firstOf, type LogFormat, membersOf, statusOf } from "./log-format.ts";

const ARMS = [...ARM_FIELDS, "ClientRequestHost"];
const HEADERS = ["ResponseHeaders", "RequestHeaders", "Cookies"];

/** Custom fields hold headers by lower-case name; the arm is looked for there first. */
function armOf(record: Readonly<Record<string, unknown>>, names: readonly string[]): unknown {
  for (const key of HEADERS) {
    const found = firstOf(membersOf(record[key]), names);
    if (found !== undefined) return found;
  }
  return firstOf(record, names);
}

/** Time between two times of any of Logpush's formats, when both are numbers or both are texts. */
function latencyMs(from: unknown, to: unknown): unknown {
  const [start, end] = [timeMs(from), timeMs(to)];
  return start === null || end === null ? undefined : Math.max(0, end - start);
}

function timeMs(value: unknown): number | null {
  if (typeof value === "string") return Number.isNaN(Date.parse(value)) ? null : Date.parse(value);
  if (typeof value !== "number") return null;
  return value >= 1e17 ? value / 1e6 : value * 1_000;
}

/**
 * Cloudflare Logpush, dataset `http_requests`.
 * @source Cloudflare documentation, Logs, "HTTP requests"; timestamp formats rfc3339, unix and unixnano
 */
export const cloudflare: LogFormat = {
  lines: "json",
  read(record, armFields, take) {
    take({
      ts: firstOf(record, ["EdgeEndTimestamp", "EdgeStartTimestamp"]),
      arm: armOf(record, armFields ?? ARMS),
      status: statusOf(record["EdgeResponseStatus"]),
      latency_ms:
        record["OriginResponseDurationMs"] ?? latencyMs(record["EdgeStartTimestamp"], record["EdgeEndTimestamp"]),
      cache: cacheOf(record["CacheCacheStatus"]),
      event_id: record["RayID"],
    });
    return null;
  },
};
