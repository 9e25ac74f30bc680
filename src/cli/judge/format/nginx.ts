import { ARM_FIELDS, cacheOf, firstOf, type LogFormat, msOfSeconds, statusOf } from "./log-format.ts";
import { clfTime } from "./clf-time.ts";

const TIMES = ["ts", "msec", "time_iso8601", "time", "timestamp", "@timestamp"];
const ARMS = [...ARM_FIELDS, "upstream_http_x_sluice_arm", "sent_http_x_sluice_arm", "upstream"];

/**
 * nginx with `log_format … escape=json`, its variables under their own names.
 * @source nginx documentation, ngx_http_log_module and ngx_http_upstream_module, "Embedded Variables"; 1.28
 */
export const nginx: LogFormat = {
  lines: "json",
  read(record, armFields, take) {
    take({
      ts: firstOf(record, TIMES) ?? clfTime(record["time_local"]),
      arm: firstOf(record, armFields ?? ARMS),
      status: statusOf(record["status"]),
      latency_ms: record["latency_ms"] ?? msOfSeconds(record["request_time"]),
      cold_start: record["cold_start"],
      probe: firstOf(record, ["probe", "http_x_warm", "x_warm"]),
      sticky: record["sticky"],
      cache: cacheOf(record["upstream_cache_status"]),
      event_id: record["request_id"],
    });
    return null;
  },
};
