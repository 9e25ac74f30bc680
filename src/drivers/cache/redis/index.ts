import { openRedis } from "../../redis.ts";
import { readSecretFile } from "../../secret-file.ts";
import type { CacheDriverFace } from "../cache-driver.ts";
import { redisCache } from "./driver.ts";

export type { RedisClient } from "../../redis.ts";
export { type RedisCacheConfig, redisCache } from "./driver.ts";

/** Where this driver runs. */
export const runtime = "node";

export const driver = {
  product: "redis",
  async open({ url, secretFile }, clock) {
    const password = await readSecretFile("cache/redis", secretFile);
    return redisCache({ ...(await openRedis("cache/redis", url, password)), clock });
  },
} satisfies CacheDriverFace;
