import type { MetricSources } from "../controller/metric-poller.ts";
import type { MetricPlan } from "../core/stage/plan.ts";
import { httpJson } from "../drivers/metrics/http-json/index.ts";
import { prometheus, tokenFile } from "../drivers/metrics/prometheus/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { MetricSource } from "../ports/metric-source.ts";

function sourceOf({ source, url, timestamp, tokenFile: path }: MetricPlan, clock: Clock): MetricSource {
  const connection = { url, clock, ...(path === null ? {} : { token: tokenFile(path) }) };
  if (source === "prometheus") return prometheus(connection);
  return httpJson({ ...connection, ...(timestamp === null ? {} : { timestamp }) });
}

/** The source of each metric; two metrics of one place ask it apart. */
export function metricSources(clock: Clock): MetricSources {
  return (metric) => sourceOf(metric, clock);
}
