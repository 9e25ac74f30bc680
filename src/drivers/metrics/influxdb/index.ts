export { influxFlux, influxQl, type InfluxConfig } from "./driver.ts";

export const runtime = "node";
