import type { ResourcePlace } from "../../core/cutover/resources.ts";
import type { Clock } from "../../ports/clock.ts";
import type { QueueDriver } from "../../ports/queue.ts";

/** One product that keeps queues, and the way to open it by what a plan says. */
export interface QueueDriverFace {
  readonly product: string;
  /** @throws DriverError when the address or the secret cannot be one, or a package that is needed is missing */
  open(place: Omit<ResourcePlace, "driver">, clock: Clock): Promise<QueueDriver>;
}
