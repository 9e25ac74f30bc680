import { driver as postgresQueue } from "../drivers/queue/postgres/index.ts";
import type { QueueDriverFace } from "../drivers/queue/queue-driver.ts";
import { driver as redisStreams } from "../drivers/queue/redis-streams/index.ts";
import { noDriver, type Resources } from "../controller/resources.ts";
import type { Clock } from "../ports/clock.ts";
import { INDEX_DRIVERS, openIndex } from "./index-drivers.ts";

/** Every driver of queues there is, in the order in which people are told of them. */
const QUEUE_DRIVERS: readonly QueueDriverFace[] = [postgresQueue, redisStreams];

/** What documents may name beside traffic. */
export const RESOURCE_NAMES = {
  index: INDEX_DRIVERS.map(({ product }) => product),
  queue: QUEUE_DRIVERS.map(({ product }) => product),
  cache: [],
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
  };
}
