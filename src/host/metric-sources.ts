import type { MetricSources } from "../controller/metric-poller.ts";
import type { MetricPlan } from "../core/stage/plan.ts";
import { httpAccess } from "../drivers/access/http/index.ts";
import { cloudwatch, environmentCredentials } from "../drivers/metrics/cloudwatch/index.ts";
import { datadog } from "../drivers/metrics/datadog/index.ts";
import { graphite } from "../drivers/metrics/graphite/index.ts";
import { httpJson, type HttpJsonConfig } from "../drivers/metrics/http-json/index.ts";
import { influxFlux, influxQl } from "../drivers/metrics/influxdb/index.ts";
import { newRelic } from "../drivers/metrics/newrelic/index.ts";
import { prometheus, tokenFile } from "../drivers/metrics/prometheus/index.ts";
import { clickhouse, influxSql } from "../drivers/metrics/sql/index.ts";
import type { MetricSourceName } from "../spec/metric-source.ts";
import type { Clock } from "../ports/clock.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { MetricSource } from "../ports/metric-source.ts";

const OPENED: Readonly<Record<MetricSourceName, (connection: HttpJsonConfig) => MetricSource>> = {
  prometheus,
  datadog,
  cloudwatch: (connection) => cloudwatch({ ...connection, credentials: environmentCredentials(process.env) }),
  "influxdb-flux": influxFlux,
  "influxdb-influxql": influxQl,
  "influxdb-sql": influxSql,
  newrelic: newRelic,
  graphite,
  clickhouse,
  "http-json": httpJson,
};
function sourceOf(metric: MetricPlan, clock: Clock): MetricSource {
  const { source, url, timestamp, tokenFile: path, access } = metric;
  const opened = access === undefined ? null : httpAccess(access, clock);
  const credentials =
    opened === null
      ? {}
      : { fetch: ((to, init) => opened.fetch(String(to), init ?? {})) as typeof fetch, redact: opened.redact };
  const open = OPENED[source as MetricSourceName];
  if (open === undefined) throw new DriverError("unsupported", "never", `no driver of metrics "${source}"`);
  const token = path === null ? {} : { token: tokenFile(path) };
  return open({ url, clock, ...token, ...credentials, ...(timestamp === null ? {} : { timestamp }) });
}

/** The source of each metric; two metrics of one place ask it apart. */
export function metricSources(clock: Clock): MetricSources {
  return (metric) => sourceOf(metric, clock);
}
