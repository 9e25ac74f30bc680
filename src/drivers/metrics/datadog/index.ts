export { datadog, type DatadogConfig } from "./driver.ts";

export const runtime = "node";
