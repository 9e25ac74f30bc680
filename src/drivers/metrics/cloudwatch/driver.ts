import { assert } from "../../../core/assert.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import type { MetricSource } from "../../../ports/metric-source.ts";
import { type Ask, type ConnectionConfig, connect } from "../connection.ts";
import { lookbackMs } from "../series.ts";
import { type AwsCredentials, signedFetch } from "./client.ts";
import { regionOf } from "./region.ts";
import { meaningOf, parseQueries, readAnswer, refusalText } from "./render.ts";

/** `url` is the endpoint of a region, e.g. `https://monitoring.eu-west-1.amazonaws.com`. */
export interface CloudwatchConfig extends Omit<ConnectionConfig, "token"> {
  readonly credentials: () => AwsCredentials;
  /** Default: the region the address names. */
  readonly region?: string;
}

const NAME = "metrics/cloudwatch";
const TARGET = "GraniteServiceVersion20100801.GetMetricData";

/** The secret of the keys never stands in a request, but the session token does. */
function hide(text: string, { secretAccessKey, sessionToken = "" }: AwsCredentials): string {
  return [secretAccessKey, sessionToken]
    .filter((one) => one !== "")
    .reduce((rest, one) => rest.replaceAll(one, "***"), text);
}

/**
 * Numbers out of CloudWatch: the query is a metric math expression or a Metrics Insights `SELECT`, or a JSON list of
 * metric data queries. Repeating a reading changes nothing but the bill: AWS charges for every metric that is asked
 * for.
 */
export function cloudwatch(config: CloudwatchConfig): MetricSource {
  const { credentials, clock, fetch: send = fetch, redact = (text: string) => text } = config;
  const region = config.region ?? regionOf(config.url);
  assert(region !== null, `${NAME}: ${config.url} names no region; give one as region`);
  const connection = connect(
    NAME,
    {
      ...config,
      fetch: signedFetch(send, region, credentials, () => clock.wallMs()),
      redact: (text) => hide(redact(text), credentials()),
    },
    "",
    { detailOf: refusalText, meaningOf },
  );
  return {
    name: "cloudwatch",
    async read(order, now) {
      const queries = parseQueries(order.query);
      if ("problem" in queries) throw new DriverError("rejected", "never", `${NAME}: ${queries.problem}`);
      const { list: MetricDataQueries, periodMs } = queries;
      const [StartTime, EndTime] = [lookbackMs(order, now) - 2 * periodMs, now].map((ms) => Math.floor(ms / 1_000));
      const text = JSON.stringify({ MetricDataQueries, StartTime, EndTime, ScanBy: "TimestampDescending" });
      const body = { type: "application/x-amz-json-1.0", text };
      const ask: Ask = { body, headers: { "x-amz-target": TARGET } };
      return connection.read(async (ask_) => readAnswer(await ask_(ask), periodMs, order, now));
    },
  };
}
