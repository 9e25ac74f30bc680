export type { PostgresClient } from "./client.ts";
export { completeInTransaction } from "./completions.ts";
export { type PostgresFence, type PostgresFenceConfig, postgresFence } from "./driver.ts";

/** Where this driver runs. */
export const runtime = "web";
