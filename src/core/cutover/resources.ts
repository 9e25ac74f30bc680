import type { ByArm } from "../arm.ts";

/** How a driver reaches its product. Secrets are files that the host reads; a plan never holds one. */
export interface ResourcePlace {
  /** Name of the driver; which names there are is its registry's to say. */
  readonly driver: string;
  /** Address of the product, without credentials. */
  readonly url: string;
  /** File with the password, token or whole connection text; null for none. */
  readonly secretFile: string | null;
}

/** One public name and the index of each arm behind it. */
export interface IndexPlan extends ResourcePlace {
  /** What services read: an alias of the store, or the name of a pointer. */
  readonly alias: string;
  readonly index: ByArm<string>;
  /** INDEX_HASH that each index must carry; null: whatever its arm's health answer states. */
  readonly indexHash: ByArm<string | null>;
}

/** The queue of each arm, and who consumes it. Both may be one queue: then only the consumers move. */
export interface QueuePlan extends ResourcePlace {
  readonly queue: ByArm<string>;
  /** Consumer group, durable or worker name of each arm. */
  readonly consumer: ByArm<string>;
  /** Name of the record that producers and consumers read. */
  readonly pointer: string;
}

/** The cache in front of, or inside, a service. Each arm has its own namespace. */
export interface CachePlan extends ResourcePlace {
  /** Prefix of each arm's keys; never one inside the other. */
  readonly namespace: ByArm<string>;
  /** Keys, tags or paths of answers that users can still see after a flip, without the namespace. */
  readonly purge: readonly string[];
}
