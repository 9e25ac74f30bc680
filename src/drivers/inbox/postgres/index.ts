export type { PostgresClient } from "./client.ts";
export { type PostgresWebhookInbox, type PostgresWebhookInboxConfig, postgresWebhookInbox } from "./driver.ts";

/** Where this driver runs. */
export const runtime = "web";
