export const runtime = "node";
export { httpAccess } from "./driver.ts";
export { redactSecrets } from "./secrets.ts";
