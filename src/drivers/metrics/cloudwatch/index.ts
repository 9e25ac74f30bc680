import type { Lack } from "../../../spec/known-drivers.ts";
import type { ConnectionConfig } from "../connection.ts";
import type { MetricDriver } from "../metric-driver.ts";
import { environmentCredentials } from "./client.ts";
import { cloudwatch } from "./driver.ts";
import { regionOf } from "./region.ts";

export { cloudwatch, type CloudwatchConfig } from "./driver.ts";
export { type AwsCredentials, environmentCredentials } from "./client.ts";

export const runtime = "node";

/**
 * What documents and hosts know of it: it shows whole intervals, late, and charges for questions.
 * @source Amazon CloudWatch user guide, "Metrics concepts", and its pricing of GetMetricData
 */
export const driver = {
  product: "cloudwatch",
  times: { everyMs: 60_000, maxAgeMs: 300_000, lateMs: 180_000 },
  lacks: ({ url, tokenFile, access }) => {
    const lacks: Lack[] = [];
    if (regionOf(url) === null) {
      const message = `"${url}" names no region of CloudWatch`;
      lacks.push({ field: "url", message, fix: "e.g. https://monitoring.eu-west-1.amazonaws.com" });
    }
    if (tokenFile !== undefined || access?.bearer !== undefined || access?.basic !== undefined || access?.oauth) {
      const message = "cloudwatch signs its requests with AWS keys and takes no other credentials";
      const fix = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment of `sluice serve`";
      lacks.push({ message, fix });
    }
    return lacks;
  },
  open: ({ url, clock, fetch: send, redact }: ConnectionConfig) => {
    const access = { ...(send === undefined ? {} : { fetch: send }), ...(redact === undefined ? {} : { redact }) };
    return cloudwatch({ url, clock, ...access, credentials: environmentCredentials(process.env) });
  },
} satisfies MetricDriver;
