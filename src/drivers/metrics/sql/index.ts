export { clickhouse, influxSql, type SqlConfig } from "./driver.ts";

export const runtime = "node";
