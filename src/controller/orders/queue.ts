import type { DrainQueueOrder, MoveConsumersOrder, SwitchProducersOrder } from "../../core/cutover/order.ts";
import type { QueuePlan } from "../../core/cutover/resources.ts";
import type { Order } from "../../core/process/order.ts";
import { draining, movingConsumers, switchingProducers } from "../../contract/queue-order.ts";
import type { Clock } from "../../ports/clock.ts";
import type { PositionsByQueue, QueueDriver, QueuePointer } from "../../ports/queue.ts";
import { A_MOMENT, DONE, type Executor, executor, type Outcome } from "./executor.ts";
import { takeWatermark, untilSettled } from "./queue-drain.ts";
import { moveConsumers } from "./queue-move.ts";
import { epochOf, pointerOf, readBy, writePointer } from "./queue-pointer.ts";

export interface QueueTools {
  /** Opens the driver that the plan names; each try of an order closes it again. */
  readonly openQueue: (plan: QueuePlan, signal: AbortSignal) => Promise<QueueDriver>;
  readonly clock: Clock;
}

/** A plan that may have a queue to cut over. */
export interface QueueCutover {
  readonly cutover: { readonly queue: QueuePlan | null };
}

/** Where workers stop by themselves, how long nothing may happen until all of them are believed to have. */
const QUIET_MS = 2_000;

/** `queue.drain`, `queue.move-consumers` and `queue.switch-producers`. */
export function queueOrders<Plan extends QueueCutover>(tools: QueueTools): readonly Executor<Plan>[] {
  return [drains(tools), moves(tools), switches(tools)];
}

async function withQueue<T>(
  { openQueue }: QueueTools,
  { cutover: { queue: plan } }: QueueCutover,
  signal: AbortSignal,
  work: (driver: QueueDriver, plan: QueuePlan) => Promise<T>,
): Promise<T> {
  if (plan === null) throw new Error("invariant: an order of a queue, and the plan has none");
  const driver = await openQueue(plan, signal);
  try {
    return await work(driver, plan);
  } finally {
    await driver.close().catch(() => {}); // It was of use, or its error is on its way already.
  }
}

/** `queue.drain`: everything before the watermark is settled. */
function drains<Plan extends QueueCutover>(tools: QueueTools): Executor<Plan> {
  return executor<DrainQueueOrder["args"], PositionsByQueue, Plan>({
    port: "queue",
    verb: "drain",
    args: draining,
    retry: A_MOMENT,
    apply: (order, { plan }, signal) =>
      withQueue(tools, plan, signal, (driver, queue) => takeWatermark(driver, queue, order, signal)),
    verify: (upTo, { args, withinMs }, { plan }, signal) =>
      withQueue(tools, plan, signal, (driver, { consumer }) =>
        untilSettled({ clock: tools.clock, driver, consumer: consumer[args.arm], upTo, withinMs }, signal),
      ),
  });
}

/** `queue.move-consumers`. */
function moves<Plan extends QueueCutover>(tools: QueueTools): Executor<Plan> {
  return executor<MoveConsumersOrder["args"], Outcome, Plan>({
    port: "queue",
    verb: "move-consumers",
    args: movingConsumers,
    retry: A_MOMENT,
    apply: (order, { plan }, signal) =>
      withQueue(tools, plan, signal, (driver, queue) => {
        const { withinMs, args } = order;
        const bounds = { withinMs, quietMs: QUIET_MS, clock: tools.clock };
        return moveConsumers({ driver, plan: queue, to: args.to, epoch: epochOf(order), ...bounds }, signal);
      }),
    verify: async (outcome, order, { plan }, signal) =>
      outcome.kind === "failed"
        ? outcome
        : withQueue(tools, plan, signal, (driver, queue) => readMoved(driver, queue, order, signal)),
  });
}

/** What stands in the pointer and at the consumers is what was ordered. */
async function readMoved(
  driver: QueueDriver,
  plan: QueuePlan,
  order: Pick<Order, "id" | "epoch"> & { readonly args: MoveConsumersOrder["args"] },
  signal: AbortSignal,
): Promise<Outcome> {
  const consumer = plan.consumer[order.args.to];
  const found = await pointerOf(driver, plan, signal);
  if (found.consumer !== consumer || found.phase !== "acting" || found.epoch !== epochOf(order))
    return unverified(`${found.consumer} is ${found.phase} by epoch ${found.epoch}, expected ${consumer} to act`);
  for (const queue of readBy(found, plan)) {
    const progress = await driver.progress(queue, consumer, signal);
    if (progress === null) return unverified(`${consumer} should consume ${queue}, which knows no such consumer`);
    const began = found.from[queue];
    if (driver.can.positions && began !== undefined && !driver.reaches(progress.settled, began)) {
      const stands = `${JSON.stringify(progress.settled)}, before ${JSON.stringify(began)}`;
      return unverified(`${consumer} stands in ${queue} at ${stands} where it was to begin`);
    }
  }
  return DONE;
}

function unverified(what: string): Outcome {
  return { kind: "failed", code: "unverified", message: `${what}; look who else moves the queue, then try again` };
}

/** `queue.switch-producers`: never to a queue that nobody reads. */
function switches<Plan extends QueueCutover>(tools: QueueTools): Executor<Plan> {
  return executor<SwitchProducersOrder["args"], void, Plan>({
    port: "queue",
    verb: "switch-producers",
    args: switchingProducers,
    retry: A_MOMENT,
    apply: (order, { plan }, signal) =>
      withQueue(tools, plan, signal, async (driver, queue) => {
        const [epoch, producersTo] = [epochOf(order), queue.queue[order.args.to]];
        const next = async (found: QueuePointer) => {
          const isSo = found.epoch === epoch && found.producersTo === producersTo;
          return isSo || !readBy(found, queue).includes(producersTo) ? null : { producersTo, watermark: null };
        };
        await writePointer(driver, queue, epoch, next, signal);
      }),
    verify: (_, order, { plan }, signal) =>
      withQueue(tools, plan, signal, async (driver, queue): Promise<Outcome> => {
        const [found, wanted] = [await pointerOf(driver, queue, signal), queue.queue[order.args.to]];
        if (found.producersTo === wanted && found.epoch === epochOf(order)) return DONE;
        const reads = `${found.consumer} reads ${readBy(found, queue).join(", ")}`;
        return unverified(`producers write to ${found.producersTo}, expected ${wanted}; ${reads}`);
      }),
  });
}
