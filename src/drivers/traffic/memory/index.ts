export { memoryTraffic } from "./driver.ts";

export const runtime = "web";
