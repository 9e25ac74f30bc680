import {
  cacheOf,
  firstOf,
  firstPresent,
  type LogFormat,
  type LogRecord,
  msOfSeconds,
  statusOf,
  usualArm,
} from "./log-format.ts";
import { clfTime } from "./clf-time.ts";

function timeOf(record: LogRecord): unknown {
  const seconds = firstPresent(record["ts"], record["msec"], record["time_iso8601"], record["time"]);
  return seconds ?? firstPresent(record["timestamp"], record["@timestamp"]) ?? clfTime(record["time_local"]);
}

function armOf(record: LogRecord): unknown {
  const usual = usualArm(record);
  if (usual !== undefined) return usual;
  const { upstream_http_x_sluice_arm: answered, sent_http_x_sluice_arm: sent, upstream } = record;
  return firstPresent(answered, sent, upstream);
}

/**
 * nginx with `log_format … escape=json`, its variables under their own names.
 * @source nginx documentation, ngx_http_log_module and ngx_http_upstream_module, "Embedded Variables"; 1.28
 */
export const nginx: LogFormat = {
  lines: "json",
  read(record, armFields, take) {
    take({
      ts: timeOf(record),
      arm: armFields === null ? armOf(record) : firstOf(record, armFields),
      status: statusOf(record["status"]),
      latency_ms: record["latency_ms"] ?? msOfSeconds(record["request_time"]),
      cold_start: record["cold_start"],
      probe: firstPresent(record["probe"], record["http_x_warm"], record["x_warm"]),
      sticky: record["sticky"],
      cache: cacheOf(record["upstream_cache_status"]),
      event_id: record["request_id"],
    });
    return null;
  },
};
