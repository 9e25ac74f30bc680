export type { PostgresClient } from "./client.ts";
export { completeInTransaction, type PostgresFence, type PostgresFenceConfig, postgresFence } from "./driver.ts";

/** Where this driver runs. */
export const runtime = "web";
