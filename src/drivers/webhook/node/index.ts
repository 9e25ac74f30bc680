export type { NameResolver, WebhookTransportOptions } from "./config.ts";
export { nodeWebhookTransport } from "./driver.ts";

/** Where this driver runs. */
export const runtime = "node";
