import type { CacheDriverFace } from "../drivers/cache/cache-driver.ts";
import { driver as nginxCache } from "../drivers/cache/nginx/index.ts";
import { driver as postgresCache } from "../drivers/cache/postgres/index.ts";
import { driver as redisCache } from "../drivers/cache/redis/index.ts";
import { driver as bullmq } from "../drivers/queue/bullmq/index.ts";
import { driver as jetstream } from "../drivers/queue/jetstream/index.ts";
import { driver as pgBoss } from "../drivers/queue/pg-boss/index.ts";
import { driver as postgresQueue } from "../drivers/queue/postgres/index.ts";
import type { QueueDriverFace } from "../drivers/queue/queue-driver.ts";
import { driver as rabbitmq } from "../drivers/queue/rabbitmq/index.ts";
import { driver as redisStreams } from "../drivers/queue/redis-streams/index.ts";
import { noDriver, type Resources } from "../controller/resources.ts";
import type { Clock } from "../ports/clock.ts";
import { warmAsker } from "./ask-warm.ts";
import { INDEX_DRIVERS, openIndex } from "./index-drivers.ts";

/** Every driver of queues and of caches there is, in the order in which people are told of them. */
const QUEUE_DRIVERS: readonly QueueDriverFace[] = [postgresQueue, redisStreams, jetstream, bullmq, pgBoss, rabbitmq];
const CACHE_DRIVERS: readonly CacheDriverFace[] = [redisCache, nginxCache, postgresCache];

/** What documents may name beside traffic. */
export const RESOURCE_NAMES = {
  index: INDEX_DRIVERS.map(({ product }) => product),
  queue: QUEUE_DRIVERS.map(({ product }) => product),
  cache: CACHE_DRIVERS.map(({ product }) => product),
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** The drivers there are, opened as plans name them. */
export function resourcesOf(clock: Clock): Resources {
  return {
    openIndex: async (place) => openIndex(place, clock),
    async openQueue(place) {
      const face = QUEUE_DRIVERS.find(({ product }) => product === place.driver);
      if (face === undefined) throw noDriver("queue", place.driver, RESOURCE_NAMES.queue);
      return face.open(place, clock);
    },
    async openCache(place) {
      const face = CACHE_DRIVERS.find(({ product }) => product === place.driver);
      if (face === undefined) throw noDriver("cache", place.driver, RESOURCE_NAMES.cache);
      return face.open(place, clock);
    },
    askWarm: warmAsker(clock),
  };
}
