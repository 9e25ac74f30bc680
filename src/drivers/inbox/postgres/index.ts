export type { PostgresClient } from "./client.ts";
export { type PostgresInbox, type PostgresInboxConfig, postgresInbox } from "./driver.ts";

/** Where this driver runs. */
export const runtime = "web";
