import type { QueuePlan } from "../../core/cutover/resources.ts";
import type { Order } from "../../core/process/order.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ConsumerProgress, PositionsByQueue, QueueDriver, QueuePointer } from "../../ports/queue.ts";
import { DONE, type Outcome } from "./executor.ts";
import { epochOf, readBy, writePointer } from "./queue-pointer.ts";

const LOOK_EVERY_MS = 100;
/** Estimates are believed once the queue was seen to be empty for this long. */
const QUIET_MS = 2_000;

/** An order's id without its number: all orders of one process and generation share it. */
function processOf({ id }: Pick<Order, "id">): string {
  return id.slice(0, Math.max(0, id.lastIndexOf("/")));
}

/**
 * The ends of the queues that the acting consumer reads, taken by the first try and noted in the pointer: a later try
 * of the process drains up to the same place, however much was produced meanwhile.
 */
export async function takeWatermark(
  driver: QueueDriver,
  plan: QueuePlan,
  order: Pick<Order, "id" | "epoch">,
  signal: AbortSignal,
): Promise<PositionsByQueue> {
  const process = processOf(order);
  const next = async (found: QueuePointer) => {
    if (found.watermark?.process === process) return null;
    const ends = readBy(found, plan).map(async (queue) => [queue, await driver.end(queue, signal)] as const);
    return { watermark: { process, upTo: Object.fromEntries(await Promise.all(ends)) } };
  };
  const { watermark } = await writePointer(driver, plan, epochOf(order), next, signal);
  return watermark?.upTo ?? {};
}

export interface Drain {
  readonly driver: QueueDriver;
  readonly consumer: string;
  readonly upTo: PositionsByQueue;
  readonly withinMs: number;
  readonly clock: Clock;
}

/**
 * Waits until the consumer has settled every partition up to the watermark. What is in flight then came after it,
 * where counts are exact; where they are estimates, the queue has to be seen empty for a while.
 */
export async function untilSettled(drain: Drain, signal: AbortSignal): Promise<Outcome> {
  const { driver, consumer, upTo, withinMs, clock } = drain;
  const deadline = clock.monoMs() + withinMs;
  let emptySinceMs: number | null = null;
  for (;;) {
    const found = await Promise.all(Object.keys(upTo).map((queue) => driver.progress(queue, consumer, signal)));
    const nowMs = clock.monoMs();
    const isEmpty = found.every((one) => one !== null && one.inFlight === 0 && one.waiting === 0);
    emptySinceMs = isEmpty ? (emptySinceMs ?? nowMs) : null;
    const isSure = driver.can.exactCounts || (emptySinceMs !== null && nowMs - emptySinceMs >= QUIET_MS);
    const isSettled = Object.values(upTo).every((mark, place) => {
      const settled = found[place]?.settled;
      return settled !== undefined && driver.reaches(settled, mark);
    });
    if (isSettled && isSure) return DONE;
    if (nowMs >= deadline) return notSettled(drain, found);
    await clock.sleep(LOOK_EVERY_MS, signal);
    signal.throwIfAborted();
  }
}

function notSettled({ consumer, upTo, withinMs }: Drain, found: readonly (ConsumerProgress | null)[]): Outcome {
  const told = Object.entries(upTo).map(([queue, mark], place) => {
    const one = found[place] ?? null;
    if (one === null) return `${queue} has no consumer of that name`;
    const counts = `${one.inFlight} in flight, ${one.waiting ?? "an unknown number"} waiting`;
    return `${queue} is settled up to ${JSON.stringify(one.settled)}, its watermark is ${JSON.stringify(mark)} (${counts})`;
  });
  const what = `${consumer} has not settled what came before the watermark within ${withinMs} ms: ${told.join("; ")}`;
  return { kind: "failed", code: "unverified", message: `${what}; see whether its workers run` };
}
