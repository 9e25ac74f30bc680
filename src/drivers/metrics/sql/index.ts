import { PROMPT } from "../../../spec/known-drivers.ts";
import type { MetricDriver } from "../metric-driver.ts";
import { clickhouse, influxSql } from "./driver.ts";

export { clickhouse, influxSql, type SqlConfig } from "./driver.ts";

export const runtime = "node";

/** What documents and hosts know of it. */
export const influxSqlDriver = { product: "influxdb-sql", times: PROMPT, open: influxSql } satisfies MetricDriver;
export const clickhouseDriver = { product: "clickhouse", times: PROMPT, open: clickhouse } satisfies MetricDriver;
