import type { QueuePlan } from "../../core/cutover/resources.ts";
import type { Order } from "../../core/process/order.ts";
import { DriverError } from "../../ports/driver-error.ts";
import type { QueueDriver, QueuePointer } from "../../ports/queue.ts";

/** Times that two controllers may be in each other's way before one gives up. */
const TURNS_MAX = 16;

/** Every queue of the plan, once: whoever acts reads all of them, so that what comes late to one is not stranded. */
export function queuesOf({ queue }: QueuePlan): readonly string[] {
  return [...new Set([queue.stable, queue.candidate])];
}

/** The fencing token of an order, which whoever numbers orders gives to each that changes something. */
export function epochOf({ id, epoch }: Pick<Order, "id" | "epoch">): number {
  if (epoch === undefined) throw new Error(`invariant: ${id} has no epoch, and its queue takes none without`);
  return epoch;
}

/** The record as it is. Before anything was moved stable's consumer acts and producers write to stable's queue. */
export async function pointerOf(driver: QueueDriver, plan: QueuePlan, signal: AbortSignal): Promise<QueuePointer> {
  const found = await driver.readPointer(plan.pointer, signal);
  if (found !== null) return found;
  const first = { producersTo: plan.queue.stable, consumer: plan.consumer.stable, from: {}, watermark: null };
  return { ...first, phase: "acting", epoch: 0, step: 0 };
}

/** The queues that the record's consumer reads: before the first move, stable's own. */
export function readBy({ from }: Pick<QueuePointer, "from">, { queue }: QueuePlan): readonly string[] {
  const moved = Object.keys(from);
  return moved.length === 0 ? [queue.stable] : moved;
}

/**
 * Moves the record by what `next` says of the one that is there, until `next` says null: nothing is left to write. A
 * record that is refused is read again, because another try of the same order may be ahead.
 * @returns the record that is there then
 * @throws DriverError `stale-token` when a later order has moved it
 */
export async function writePointer(
  driver: QueueDriver,
  plan: QueuePlan,
  epoch: number,
  next: (found: QueuePointer) => Promise<Partial<QueuePointer> | null>,
  signal: AbortSignal,
): Promise<QueuePointer> {
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    const found = await pointerOf(driver, plan, signal);
    if (found.epoch > epoch) {
      const what = `the pointer ${plan.pointer} was moved by epoch ${found.epoch}, after this order of epoch ${epoch}`;
      throw new DriverError("stale-token", "never", `${what}; it changes nothing any more`);
    }
    const change = await next(found);
    if (change === null) return found;
    const step = found.epoch === epoch ? found.step + 1 : 0;
    await driver.movePointer(plan.pointer, { ...found, ...change, epoch, step }, signal);
  }
  const what = `the pointer ${plan.pointer} was in others' hands ${TURNS_MAX} times`;
  throw new DriverError("unreachable", "safe", `${what}; look who else moves it, then try again`);
}
