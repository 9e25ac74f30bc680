import type { MetricSource } from "../../../ports/metric-source.ts";
import { type ConnectionConfig, connect } from "../connection.ts";
import { readFlux, refusalText } from "./flux.ts";
import { readInfluxQl } from "./influxql.ts";

/**
 * `url` carries what the server asks for beside the query: `?org=` for Flux, `?db=` for InfluxQL. `fetch` brings the
 * credentials, `Authorization: Token …` or a Basic header.
 */
export type InfluxConfig = ConnectionConfig;

const NAME = "metrics/influxdb";
const DIALECT = { header: true, annotations: ["datatype", "group", "default"], delimiter: "," };

/** Numbers out of InfluxDB 2.x and its Cloud by Flux. Repeating a reading changes nothing. */
export function influxFlux(config: InfluxConfig): MetricSource {
  const connection = connect(NAME, config, "/api/v2/query", { detailOf: refusalText });
  return {
    name: "influxdb-flux",
    read(order, now) {
      const text = JSON.stringify({ query: order.query, type: "flux", dialect: DIALECT });
      const ask = { body: { type: "application/json", text }, headers: { accept: "application/csv" } };
      return connection.read(async (send) => readFlux(await send(ask), order, now));
    },
  };
}

/** Numbers out of InfluxDB 1.x, and servers with its query API, by InfluxQL. Repeating a reading changes nothing. */
export function influxQl(config: InfluxConfig): MetricSource {
  const connection = connect(NAME, config, "/query", { detailOf: refusalText });
  return {
    name: "influxdb-influxql",
    // A GET cannot write, whatever the query says.
    read: (order, now) =>
      connection.read(async (send) =>
        readInfluxQl(await send({ search: { q: order.query, epoch: "ms" } }), order, now),
      ),
  };
}
