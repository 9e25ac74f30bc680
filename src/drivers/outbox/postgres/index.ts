export type { PostgresClient } from "./client.ts";
export { type PostgresInbox, type PostgresInboxConfig, postgresInbox } from "./inbox.ts";
export { type PostgresOutbox, type PostgresOutboxConfig, postgresOutbox } from "./outbox.ts";

/** Where this driver runs. */
export const runtime = "web";
