import type { ServingArm } from "../arm.ts";
import type { OrderOf } from "../process/order.ts";

/** Compare what an index says of itself with what is expected of it. It only reads; its verdicts are the result. */
export type CheckIndexOrder = OrderOf<"index", "check", { readonly arm: ServingArm }>;

/** Move the public name from the index of the other arm to that of `to`; done when read back through that name. */
export type FlipIndexOrder = OrderOf<"index", "flip", { readonly to: ServingArm }>;

/** Wait until the arm's consumer has settled everything up to the end of its queue as it was when this began. */
export type DrainQueueOrder = OrderOf<"queue", "drain", { readonly arm: ServingArm }>;

/** Stop the other arm's consumer and let that of `to` go on exactly where it stood. */
export type MoveConsumersOrder = OrderOf<"queue", "move-consumers", { readonly to: ServingArm }>;

/** Producers write to the queue of `to` from now on. */
export type SwitchProducersOrder = OrderOf<"queue", "switch-producers", { readonly to: ServingArm }>;

/** Remove what users may still see of an arm's answers; done when reading finds none of them. */
export type PurgeCacheOrder = OrderOf<"cache", "purge", { readonly arm: ServingArm }>;

/** Fill the arm's namespace with the answers to the questions asked most. */
export type PrimeCacheOrder = OrderOf<"cache", "prime", { readonly arm: ServingArm }>;

/**
 * No effect of the service may be begun; done when the last leave to begin one is over. What is queued is finished
 * meanwhile, which a drain waits for. Lifts itself after `forMs`, so that
 * a controller that dies meanwhile stops nobody for ever.
 */
export type FreezeOrder = OrderOf<"grant", "freeze", { readonly forMs: number }>;

/** Lifts a freeze: the arm that holds the grant acts again. */
export type UnfreezeOrder = OrderOf<"grant", "unfreeze", Record<string, never>>;

/** The grant belongs to `to`, with a higher token; done when the last leave of the other arm is over. */
export type MoveGrantOrder = OrderOf<"grant", "move", { readonly to: ServingArm }>;

/** Everything that a cutover asks for beside traffic, health and probes. */
export type CutoverOrder =
  | CheckIndexOrder
  | FlipIndexOrder
  | DrainQueueOrder
  | MoveConsumersOrder
  | SwitchProducersOrder
  | PurgeCacheOrder
  | PrimeCacheOrder
  | FreezeOrder
  | UnfreezeOrder
  | MoveGrantOrder;
