import { PROMPT } from "../../../spec/known-drivers.ts";
import type { MetricDriver } from "../metric-driver.ts";
import { influxFlux, influxQl } from "./driver.ts";

export { influxFlux, influxQl, type InfluxConfig } from "./driver.ts";

export const runtime = "node";

/** What documents and hosts know of it. */
export const flux = { product: "influxdb-flux", times: PROMPT, open: influxFlux } satisfies MetricDriver;
export const influxql = { product: "influxdb-influxql", times: PROMPT, open: influxQl } satisfies MetricDriver;
