export { graphite, type GraphiteConfig } from "./driver.ts";

export const runtime = "node";
