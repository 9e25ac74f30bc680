import type { MetricSource } from "../../../ports/metric-source.ts";
import { type ConnectionConfig, connect } from "../connection.ts";
import { lookbackMs } from "../series.ts";
import { readAnswer, refusalText } from "./render.ts";

/** `url` is the web application, before `/render`. `fetch` brings the credentials, where a proxy asks for them. */
export type GraphiteConfig = ConnectionConfig;

const seconds = (ms: number) => String(Math.floor(ms / 1_000));

/** Numbers out of Graphite and servers with its render API; the query is a target. A reading changes nothing. */
export function graphite(config: GraphiteConfig): MetricSource {
  const connection = connect("metrics/graphite", config, "/render", { detailOf: refusalText });
  return {
    name: "graphite",
    read(order, now) {
      const times = { from: seconds(lookbackMs(order, now)), until: seconds(now) };
      const search = { target: order.query, ...times, format: "json" };
      return connection.read(async (send) => readAnswer(await send({ search }), order, now));
    },
  };
}
