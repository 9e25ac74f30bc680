import type { MetricSources } from "../controller/metric-poller.ts";
import type { MetricPlan } from "../core/stage/plan.ts";
import { httpAccess } from "../drivers/access/http/index.ts";
import { tokenFile } from "../drivers/metrics/prometheus/index.ts";
import type { Clock } from "../ports/clock.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { MetricSource } from "../ports/metric-source.ts";
import { METRIC_DRIVERS } from "./driver-registry.ts";

function sourceOf(metric: MetricPlan, clock: Clock): MetricSource {
  const { source, url, timestamp, tokenFile: path, access } = metric;
  const opened = access === undefined ? null : httpAccess(access, clock);
  const credentials =
    opened === null
      ? {}
      : { fetch: ((to, init) => opened.fetch(String(to), init ?? {})) as typeof fetch, redact: opened.redact };
  const driver = METRIC_DRIVERS.find(({ product }) => product === source);
  if (driver === undefined) {
    const known = METRIC_DRIVERS.map(({ product }) => product).join(", ");
    throw new DriverError("unsupported", "never", `no driver of metrics "${source}"; known: ${known}`);
  }
  const token = path === null ? {} : { token: tokenFile(path) };
  return driver.open({ url, clock, ...token, ...credentials, ...(timestamp === null ? {} : { timestamp }) });
}

/** The source of each metric; two metrics of one place ask it apart. */
export function metricSources(clock: Clock): MetricSources {
  return (metric) => sourceOf(metric, clock);
}
