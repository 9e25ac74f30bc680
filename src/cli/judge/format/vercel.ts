import { ARM_FIELDS, cacheOf, firstOf, type LogFormat, membersOf } from "./log-format.ts";

const ARMS = [...ARM_FIELDS, "deploymentId"];
/** The function crashed before it answered. */
const CRASHED: readonly unknown[] = [-1, "-1"];

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
    const status = firstOf(proxy, ["statusCode"]) ?? record["statusCode"];
    take({
      ts: proxy["timestamp"] ?? record["timestamp"],
      arm: firstOf(record, armFields ?? ARMS) ?? firstOf(proxy, armFields ?? ARMS),
      cache: cacheOf(proxy["vercelCache"]),
      event_id: proxy["vercelId"] ?? record["requestId"] ?? record["id"],
      ...(CRASHED.includes(status)
        ? { error_class: { stage: "headers" as const, family: "network", code: "crashed" } }
        : { status }),
    });
    return null;
  },
};
