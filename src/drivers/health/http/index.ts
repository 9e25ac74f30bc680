export { httpHealth } from "./driver.ts";

export const runtime = "web";
