export type { RedisClient } from "./client.ts";
export { type RedisFenceConfig, redisFence } from "./driver.ts";

/** Where this driver runs. */
export const runtime = "web";
