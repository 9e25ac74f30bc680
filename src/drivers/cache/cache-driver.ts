import type { ResourcePlace } from "../../core/cutover/resources.ts";
import type { CacheDriver } from "../../ports/cache.ts";
import type { Clock } from "../../ports/clock.ts";

/** One product that caches answers, and the way to open it by what a plan says. */
export interface CacheDriverFace {
  readonly product: string;
  /** @throws DriverError when the address or the secret cannot be one, or a package that is needed is missing */
  open(place: Omit<ResourcePlace, "driver">, clock: Clock): Promise<CacheDriver>;
}
