import { openRedis } from "../../redis.ts";
import { readSecretFile } from "../../secret-file.ts";
import type { QueueDriverFace } from "../queue-driver.ts";
import { redisStreams } from "./driver.ts";

export type { RedisClient } from "../../redis.ts";
export { type RedisStreamsConfig, redisStreams } from "./driver.ts";

/** Where this driver runs. */
export const runtime = "node";

export const driver = {
  product: "redis-streams",
  async open({ url, secretFile }) {
    const password = await readSecretFile("queue/redis-streams", secretFile);
    return redisStreams(await openRedis("queue/redis-streams", url, password));
  },
} satisfies QueueDriverFace;
