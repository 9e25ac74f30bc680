import type { ResourcePlace } from "../core/cutover/resources.ts";
import type { CutoverPlan } from "../core/cutover/plan.ts";
import type { CacheDriver } from "../ports/cache.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { IndexAliases } from "../ports/index-alias.ts";
import type { QueueDriver } from "../ports/queue.ts";
import type { AskWarm } from "./orders/cache.ts";

/** Opens what is cut over beside traffic, by the driver that a plan names; whoever opens one closes it. */
export interface Resources {
  openQueue(place: ResourcePlace, signal: AbortSignal): Promise<QueueDriver>;
  openIndex(place: ResourcePlace, signal: AbortSignal): Promise<IndexAliases>;
  openCache(place: ResourcePlace, signal: AbortSignal): Promise<CacheDriver>;
  readonly askWarm: AskWarm;
}

/** Of a controller that was given none: a cutover of traffic and effects alone works all the same. */
export const NO_RESOURCES: Resources = {
  openQueue: ({ driver }) => Promise.reject(noDriver("queue", driver, [])),
  openIndex: ({ driver }) => Promise.reject(noDriver("index", driver, [])),
  openCache: ({ driver }) => Promise.reject(noDriver("cache", driver, [])),
  askWarm: () => Promise.reject(new DriverError("unsupported", "never", "this controller asks no arm")),
};

/** The failure of a plan that names a driver which is not there. */
export function noDriver(port: string, driver: string, known: readonly string[]): DriverError {
  const found = `there is no driver "${driver}" of ${port}; known: ${known.join(", ") || "none"}`;
  return new DriverError("unsupported", "never", found);
}

/** Why a product that a plan cuts over cannot be spoken with; null when all of them answer. Nothing is changed. */
export async function unreachedResource(
  { cutover: { queue, index, cache } }: CutoverPlan,
  resources: Resources,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    if (queue !== null) {
      const driver = await resources.openQueue(queue, signal);
      await driver.end(queue.queue.stable, signal).finally(() => driver.close());
    }
    if (index !== null) {
      const aliases = await resources.openIndex(index, signal);
      await aliases.readAlias(index.alias, signal).finally(() => aliases.close());
    }
    if (cache !== null) {
      const driver = await resources.openCache(cache, signal);
      await driver.topKeys(cache.namespace.stable, 1, signal).finally(() => driver.close());
    }
    return null;
  } catch (error) {
    if (signal.aborted) return "a product that is to be cut over did not answer in time; nothing was begun";
    if (!(error instanceof DriverError)) throw error;
    return `${error.message}; nothing was begun`;
  }
}
