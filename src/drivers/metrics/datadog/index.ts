import { type MetricDriver, missingHeaders } from "../metric-driver.ts";
import { datadog } from "./driver.ts";

export { datadog, type DatadogConfig } from "./driver.ts";

export const runtime = "node";

/**
 * What documents and hosts know of it: it shows whole intervals, late, and limits questions.
 * @source Datadog API rate limits
 */
export const driver = {
  product: "datadog",
  times: { everyMs: 30_000, maxAgeMs: 180_000, lateMs: 60_000 },
  lacks: (metric) => missingHeaders(metric, ["DD-API-KEY", "DD-APPLICATION-KEY"]),
  open: datadog,
} satisfies MetricDriver;
