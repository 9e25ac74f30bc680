import type { IndexDriverFace } from "../index-driver.ts";
import { lazyRedis } from "../lazy-redis.ts";
import { redisIndexAliases } from "./driver.ts";
import { NAME } from "../redis-records.ts";

export type { RedisClient } from "../../redis.ts";
export { type RedisIndexConfig, redisIndexAliases } from "./driver.ts";

export const runtime = "node";

/** What hosts know of it. */
export const driver = {
  product: "redis",
  open({ url, secretFile }) {
    const client = lazyRedis(NAME, url, secretFile);
    return redisIndexAliases({ client, close: () => client.close() });
  },
} satisfies IndexDriverFace;
