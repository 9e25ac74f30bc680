import { type MetricDriver, missingHeaders } from "../metric-driver.ts";
import { accountOf } from "./account.ts";
import { newRelic } from "./driver.ts";

export { newRelic, type NewRelicConfig } from "./driver.ts";

export const runtime = "node";

/**
 * What documents and hosts know of it: it shows whole intervals, late, and limits questions.
 * @source New Relic, "NRQL query rate limits"
 */
export const driver = {
  product: "newrelic",
  times: { everyMs: 30_000, maxAgeMs: 180_000, lateMs: 60_000 },
  lacks: (metric) => {
    const missing = missingHeaders(metric, ["API-Key"]);
    if (accountOf(metric.url) !== null) return missing;
    const message = `"${metric.url}" names no account of New Relic`;
    return [...missing, { field: "url", message, fix: "e.g. https://api.newrelic.com?account=1234567" }];
  },
  open: newRelic,
} satisfies MetricDriver;
