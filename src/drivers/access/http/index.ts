export const runtime = "node";
export { httpAccess } from "./driver.ts";
export { unsetVariables } from "./resolve.ts";
export { redactSecrets } from "../../secrets.ts";
