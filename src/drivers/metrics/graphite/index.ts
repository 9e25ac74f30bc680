import type { MetricDriver } from "../metric-driver.ts";
import { graphite } from "./driver.ts";

export { graphite, type GraphiteConfig } from "./driver.ts";

export const runtime = "node";

/** What documents and hosts know of it: whole intervals are there a minute late. */
export const driver = {
  product: "graphite",
  times: { everyMs: 10_000, maxAgeMs: 180_000, lateMs: 60_000 },
  open: graphite,
} satisfies MetricDriver;
