import type { MetricReading, MetricSource } from "../../../ports/metric-source.ts";
import { type ConnectionConfig, connect } from "../connection.ts";
import { parseJson, quote } from "../document.ts";
import { CLICKHOUSE } from "./clickhouse.ts";
import { INFLUXDB } from "./influxdb.ts";
import type { Dialect } from "./dialect.ts";
import { readTable } from "./table.ts";

/** `url` carries what the server asks for beside the query, as `?database=` or `?db=`. */
export type SqlConfig = ConnectionConfig;

function sql(name: string, dialect: Dialect, config: SqlConfig): MetricSource {
  const connection = connect(`metrics/sql (${name})`, config, dialect.path, dialect.refusals);
  return {
    name,
    read: (order, now) =>
      connection.read(async (send): Promise<MetricReading> => {
        const body = await send({ search: dialect.search(order.query) });
        const parsed = parseJson(body);
        if (parsed === null) return { kind: "error", reason: `not JSON: ${quote(body)}` };
        const table = dialect.tableOf(parsed.document);
        return "kind" in table ? table : readTable(table, order, now);
      }),
  };
}

/** Numbers out of ClickHouse by SQL. Repeating a reading changes nothing. */
export const clickhouse = (config: SqlConfig): MetricSource => sql("clickhouse", CLICKHOUSE, config);

/** Numbers out of InfluxDB 3 by SQL. Repeating a reading changes nothing. */
export const influxSql = (config: SqlConfig): MetricSource => sql("influxdb-sql", INFLUXDB, config);
