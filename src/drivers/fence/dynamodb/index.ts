export type { DynamoClient } from "./client.ts";
export { type DynamoFenceConfig, dynamoFence } from "./driver.ts";

/** Where this driver runs. */
export const runtime = "web";
