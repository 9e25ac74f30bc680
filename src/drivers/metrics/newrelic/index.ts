export { newRelic, type NewRelicConfig } from "./driver.ts";

export const runtime = "node";
