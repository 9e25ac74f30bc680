export { tokenFile, type TokenSource } from "../token.ts";
export { prometheus, type PrometheusConfig } from "./driver.ts";

export const runtime = "node";
