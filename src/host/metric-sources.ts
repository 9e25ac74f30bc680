import type { MetricSources } from "../controller/metric-poller.ts";
import type { MetricPlan } from "../core/stage/plan.ts";
import { httpAccess } from "../drivers/access/http/index.ts";
import { cloudwatch, environmentCredentials } from "../drivers/metrics/cloudwatch/index.ts";
import { datadog } from "../drivers/metrics/datadog/index.ts";
import { graphite } from "../drivers/metrics/graphite/index.ts";
import { httpJson } from "../drivers/metrics/http-json/index.ts";
import { influxFlux, influxQl } from "../drivers/metrics/influxdb/index.ts";
import { newRelic } from "../drivers/metrics/newrelic/index.ts";
import { prometheus, tokenFile } from "../drivers/metrics/prometheus/index.ts";
import { clickhouse, influxSql } from "../drivers/metrics/sql/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { MetricSource } from "../ports/metric-source.ts";

function sourceOf(metric: MetricPlan, clock: Clock): MetricSource {
  const { source, url, timestamp, tokenFile: path, access } = metric;
  const opened = access === undefined ? null : httpAccess(access, clock);
  const credentials =
    opened === null
      ? {}
      : { fetch: ((to, init) => opened.fetch(String(to), init ?? {})) as typeof fetch, redact: opened.redact };
  const connection = { url, clock, ...(path === null ? {} : { token: tokenFile(path) }), ...credentials };
  switch (source) {
    case "prometheus":
      return prometheus(connection);
    case "datadog":
      return datadog(connection);
    case "cloudwatch":
      return cloudwatch({ url, clock, ...credentials, credentials: environmentCredentials(process.env) });
    case "influxdb-flux":
      return influxFlux(connection);
    case "influxdb-influxql":
      return influxQl(connection);
    case "influxdb-sql":
      return influxSql(connection);
    case "newrelic":
      return newRelic(connection);
    case "graphite":
      return graphite(connection);
    case "clickhouse":
      return clickhouse(connection);
    case "http-json":
      return httpJson({ ...connection, ...(timestamp === null ? {} : { timestamp }) });
  }
}

/** The source of each metric; two metrics of one place ask it apart. */
export function metricSources(clock: Clock): MetricSources {
  return (metric) => sourceOf(metric, clock);
}
