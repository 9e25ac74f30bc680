import { suggestion } from "../core/did-you-mean.ts";
import type { ResourcePlace } from "../core/cutover/resources.ts";
import type { IndexDriverFace } from "../drivers/index/index-driver.ts";
import { driver as opensearch } from "../drivers/index/opensearch/index.ts";
import { driver as pgvector } from "../drivers/index/pgvector/index.ts";
import { driver as qdrant } from "../drivers/index/qdrant/index.ts";
import { driver as redis } from "../drivers/index/redis/index.ts";
import { driver as typesense } from "../drivers/index/typesense/index.ts";
import type { Clock } from "../ports/clock.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { IndexAliases } from "../ports/index-alias.ts";

/** Every driver of indexes there is, in the order in which people are told of them. */
export const INDEX_DRIVERS: readonly IndexDriverFace[] = [pgvector, qdrant, opensearch, typesense, redis];

/**
 * The store at a place; whoever opens one closes it. Nothing is asked of it yet.
 * @throws DriverError `unsupported`: there is no such driver; `rejected`: the address can be none of its product's
 */
export function openIndex(place: ResourcePlace, clock: Clock): IndexAliases {
  const names = INDEX_DRIVERS.map(({ product }) => product);
  const driver = INDEX_DRIVERS.find(({ product }) => product === place.driver);
  if (driver !== undefined) return driver.open({ ...place, clock });
  const found = `there is no driver "${place.driver}" of index; ${suggestion(place.driver, names)}`;
  throw new DriverError("unsupported", "never", found);
}
