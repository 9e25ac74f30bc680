export { gatewayTraffic } from "./driver.ts";

export const runtime = "web";
