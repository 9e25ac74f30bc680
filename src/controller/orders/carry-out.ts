import { type Order, orderName } from "../../core/process/order.ts";
import type { Clock } from "../../ports/clock.ts";
import { DriverError } from "../../ports/driver-error.ts";
import type { Executor, Orderer, Outcome } from "./executor.ts";

/** Who carries out which orders, by `port.verb`. */
export type Executors<Plan> = ReadonlyMap<string, Executor<Plan>>;

/** The registry of some executors; of two with one name neither would be known to act. */
export function executorsOf<Plan>(list: readonly Executor<Plan>[]): Executors<Plan> {
  const byName = new Map(list.map((one) => [one.name, one]));
  if (byName.size !== list.length) throw new Error(`two executors of one name: ${list.map(({ name }) => name).join()}`);
  return byName;
}

/**
 * Carries one order out to its end. Every order may be carried out again: what it changes is recognised by its id or is
 * so already. Rejects only when `signal` aborts or with a bug of ours, because the outcome of work is an event.
 */
export async function carryOut<Plan>(
  order: Order,
  by: Orderer<Plan>,
  executors: Executors<Plan>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Outcome> {
  const executor = executors.get(orderName(order));
  if (executor === undefined) throw new Error(unknownText(order, [...executors.keys()]));
  const { tries, firstPauseMs } = executor.retry;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted(); // An order given up while it paused must not be tried again.
    try {
      return await executor.attempt(order, by, signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof DriverError)) throw error;
      if (error.retry === "never" || attempt === tries)
        return { kind: "failed", code: error.code, message: error.message };
      await clock.sleep(firstPauseMs * 2 ** (attempt - 1), signal);
    }
  }
}

function unknownText(order: Order, known: readonly string[]): string {
  const found = `nobody here carries out ${orderName(order)} (${order.id}); known: ${known.join(", ")}`;
  return `${found}. Either a machine asks for what has no executor, or its state is of another version of this program`;
}
