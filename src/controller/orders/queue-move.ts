import type { ServingArm } from "../../core/arm.ts";
import type { QueuePlan } from "../../core/cutover/resources.ts";
import type { Clock } from "../../ports/clock.ts";
import type { PositionsByQueue, QueueDriver, QueuePointer, QueuePositions } from "../../ports/queue.ts";
import { DONE, type Outcome } from "./executor.ts";
import { queuesOf, writePointer } from "./queue-pointer.ts";

/** One move of consumers, as far as every try of it is the same. */
export interface ConsumerMove {
  readonly driver: QueueDriver;
  readonly plan: QueuePlan;
  readonly to: ServingArm;
  readonly epoch: number;
  /** How long what is in flight may take to be settled. */
  readonly withinMs: number;
  readonly clock: Clock;
  /** Where workers stop by themselves: how long nothing may happen until all of them have. */
  readonly quietMs: number;
}

const LOOK_EVERY_MS = 50;

type Failure = Extract<Outcome, { kind: "failed" }>;

/**
 * Stops the consumer that acts, waits for what it has in flight, notes where it stands, starts the other one there, and
 * only then lets that one act. Each stage is one record of the pointer, so a try that follows a crash at any point goes
 * on with the stage that is noted. The way back is the same move to the other arm.
 *
 * What is not settled in time ends a move to the candidate. A move to stable goes on from the last settled position:
 * a broken arm must not hold the queue, and what it never settled is given to stable.
 */
export async function moveConsumers(move: ConsumerMove, signal: AbortSignal): Promise<Outcome> {
  const { driver, plan, to, epoch } = move;
  const consumer = plan.consumer[to];
  let outcome: Outcome = DONE;
  const next = async (found: QueuePointer): Promise<Partial<QueuePointer> | null> => {
    const isThere = found.phase === "acting" && found.consumer === consumer;
    if (found.epoch < epoch) return isThere ? {} : { phase: "stopping", watermark: null };
    if (isThere) return null;
    if (found.phase === "stopping") {
      const stood = await standstill(move, found, signal);
      if (stood.kind === "stands") return { phase: "starting", consumer, from: stood.at };
      outcome = stood;
      return null;
    }
    for (const queue of queuesOf(plan))
      await driver.start(queue, consumer, { after: found.from[queue] ?? {}, epoch }, signal);
    return { phase: "acting" };
  };
  await writePointer(driver, plan, epoch, next, signal);
  return outcome;
}

/** The consumer is stopped in every queue and, in time, has settled what it had: where it stands then. */
async function standstill(
  move: ConsumerMove,
  { consumer, from }: QueuePointer,
  signal: AbortSignal,
): Promise<{ readonly kind: "stands"; readonly at: PositionsByQueue } | Failure> {
  const { driver, plan, to, epoch, clock } = move;
  for (const queue of queuesOf(plan)) await driver.stop(queue, consumer, epoch, signal);
  const deadline = clock.monoMs() + move.withinMs;
  let [seen, sinceMs] = ["", clock.monoMs()];
  for (;;) {
    const found = await Promise.all(
      queuesOf(plan).map(async (queue) => ({ queue, progress: await driver.progress(queue, consumer, signal) })),
    );
    const missing = found.find(({ queue, progress }) => progress === null && isOwn(move, queue, consumer, from));
    if (missing !== undefined) return noConsumer(consumer, missing.queue);
    const inFlight = found.reduce((sum, { progress }) => sum + (progress?.inFlight ?? 0), 0);
    // What waits grows as long as producers write; what a worker took does not.
    const now = JSON.stringify(found.map(({ progress }) => [progress?.settled, progress?.inFlight]));
    if (now !== seen) [seen, sinceMs] = [now, clock.monoMs()];
    const isQuiet = driver.can.stop || clock.monoMs() - sinceMs >= move.quietMs;
    const isLate = clock.monoMs() >= deadline;
    if ((inFlight === 0 && isQuiet) || (isLate && to === "stable")) {
      const at = found.map(async ({ queue, progress }) => {
        const stood = furthest(driver, from[queue] ?? null, progress?.settled ?? null);
        // Nobody known has read it: whoever goes on goes on where it was itself.
        const own = stood === null ? await driver.progress(queue, plan.consumer[to], signal) : null;
        return [queue, stood ?? own?.settled ?? {}] as const;
      });
      return { kind: "stands", at: Object.fromEntries(await Promise.all(at)) };
    }
    if (isLate) return unsettled(consumer, inFlight, move.withinMs);
    await clock.sleep(LOOK_EVERY_MS, signal);
    signal.throwIfAborted();
  }
}

/** A queue that the consumer must have read by now, unless the plan names it wrongly. */
function isOwn({ plan }: ConsumerMove, queue: string, consumer: string, from: PositionsByQueue): boolean {
  const arm = consumer === plan.consumer.stable ? "stable" : "candidate";
  return plan.queue[arm] === queue && from[queue] === undefined;
}

/** A consumer that was to begin somewhere stands there or further on; what it did in an earlier life is before it. */
function furthest(driver: QueueDriver, began: QueuePositions | null, settled: QueuePositions | null) {
  if (began === null || settled === null) return settled ?? began;
  return driver.reaches(settled, began) ? settled : began;
}

function noConsumer(consumer: string, queue: string): Failure {
  const message = `nobody called ${consumer} consumes ${queue}, so nobody knows where to go on`;
  return { kind: "failed", code: "no-consumer", message: `${message}; correct the name of the consumer or the queue` };
}

function unsettled(consumer: string, inFlight: number, withinMs: number): Failure {
  const found = `${consumer} still has ${inFlight} messages in flight ${withinMs} ms after it was stopped`;
  const message = `${found}; see why its workers do not settle them, or give the step more time`;
  return { kind: "failed", code: "unsettled", message };
}
