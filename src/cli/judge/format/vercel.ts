import { cacheOf, firstOf, firstPresent, type LogFormat, membersOf, usualArm } from "./log-format.ts";

/** The function crashed before it answered. */
const CRASHED = { stage: "headers", family: "network", code: "crashed" } as const;

function isCrash(status: unknown): boolean {
  return status === -1 || status === "-1";
}

/**
 * Vercel log drains, NDJSON or JSON arrays. A request is a record with `proxy`; lines that functions print are passed
 * over. Drains tell no latency.
 * @source Vercel documentation, "Log Drains Reference"
 */
export const vercel: LogFormat = {
  lines: "json",
  read(record, armFields, take) {
    const proxy = membersOf(record["proxy"]);
    if (proxy === null) return null;
    const status = firstPresent(proxy["statusCode"]) ?? record["statusCode"];
    const arm =
      armFields === null
        ? firstPresent(usualArm(record), record["deploymentId"], usualArm(proxy), proxy["deploymentId"])
        : (firstOf(record, armFields) ?? firstOf(proxy, armFields));
    take({
      ts: proxy["timestamp"] ?? record["timestamp"],
      arm,
      status: isCrash(status) ? undefined : status,
      error_class: isCrash(status) ? CRASHED : undefined,
      cache: cacheOf(proxy["vercelCache"]),
      event_id: proxy["vercelId"] ?? record["requestId"] ?? record["id"],
    });
    return null;
  },
};
