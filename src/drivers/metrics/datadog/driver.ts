import type { MetricSource } from "../../../ports/metric-source.ts";
import { type ConnectionConfig, connect } from "../connection.ts";
import { lookbackMs } from "../series.ts";
import { readAnswer, refusalText } from "./render.ts";

/**
 * `url` is the API of the site, e.g. `https://api.datadoghq.eu`. `fetch` brings the two keys, `DD-API-KEY` and
 * `DD-APPLICATION-KEY`.
 */
export type DatadogConfig = ConnectionConfig;

const NAME = "metrics/datadog";
const seconds = (ms: number) => String(Math.floor(ms / 1_000));

/** Numbers out of Datadog; the query is one of its metric queries. Repeating a reading changes nothing. */
export function datadog(config: DatadogConfig): MetricSource {
  const connection = connect(NAME, config, "/api/v1/query", { detailOf: refusalText });
  return {
    name: "datadog",
    read(order, now) {
      const search = { from: seconds(lookbackMs(order, now)), to: seconds(now), query: order.query };
      return connection.read(async (send) => readAnswer(await send({ search }), order, now));
    },
  };
}
