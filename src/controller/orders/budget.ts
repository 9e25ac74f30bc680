import { type Order, orderName } from "../../core/process/order.ts";
import type { Clock } from "../../ports/clock.ts";
import { DriverError } from "../../ports/driver-error.ts";

/** Work of an order that only reads, for as long as the order says. @throws DriverError `timeout` past that */
export async function withinBudget<T>(
  order: Pick<Order, "port" | "verb" | "withinMs">,
  clock: Clock,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const limit = clock.timeout(order.withinMs, AbortSignal.any([signal, over.signal]));
  try {
    return await work(limit);
  } catch (error) {
    if (signal.aborted || !limit.aborted) throw error;
    throw new DriverError("timeout", "never", `${orderName(order)} took over ${order.withinMs} ms`, error);
  } finally {
    over.abort();
  }
}
