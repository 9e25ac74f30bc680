import { PROMPT } from "../../../spec/known-drivers.ts";
import type { MetricDriver } from "../metric-driver.ts";
import { prometheus } from "./driver.ts";

export { tokenFile, type TokenSource } from "../token.ts";
export { prometheus, type PrometheusConfig } from "./driver.ts";

export const runtime = "node";

/** What documents and hosts know of it. */
export const driver = { product: "prometheus", times: PROMPT, open: prometheus } satisfies MetricDriver;
