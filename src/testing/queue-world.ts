import { assert } from "../core/assert.ts";
import type { ConsumerProgress, QueueDriver, QueuePointer, QueuePositions } from "../ports/queue.ts";

/** A message that a worker was given. */
export interface GivenMessage {
  readonly body: string;
  settle(): Promise<void>;
}

/** What a queue brings to its conformance run: the product with its own producers and workers. */
export interface QueueWorld {
  /**
   * One handle; every handle of a world that reaches the `server` sees the same data, as two processes would.
   * `nobody`: nothing listens at its address. `silent`: what listens there takes connections and never answers.
   */
  open(at: "server" | "nobody" | "silent"): Promise<QueueDriver>;
  /** Makes an empty queue; names of a world are its own, so that a shared server needs no cleaning. */
  queue(name: string): Promise<string>;
  /** Writes messages in this order, as producers do. */
  produce(queue: string, bodies: readonly string[]): Promise<void>;
  /** Gives up to `max` messages to a worker of the consumer, in the queue's order; fewer when there are no more. */
  take(queue: string, consumer: string, max: number): Promise<readonly GivenMessage[]>;
  /** Bytes that the driver has received from the server, all handles together. */
  receivedBytes(): number;
  /** Ends what the world began. */
  close(): Promise<void>;
}

export interface QueueCase {
  readonly name: string;
  run(world: QueueWorld): Promise<void>;
}

/** A signal that never aborts. */
export const never = new AbortController().signal;

/** Fails unless the two are the same JSON. */
export function same(found: unknown, wanted: unknown, what: string): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  assert(a === b, `${what}: expected ${b}, found ${a}`);
}

/** Bodies `from` to `to`, both included. */
export function bodies(from: number, to: number): readonly string[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => String(from + index));
}

export const bodiesOf = (given: readonly GivenMessage[]) => given.map(({ body }) => body);

export async function settleAll(given: readonly GivenMessage[]): Promise<void> {
  for (const message of given) await message.settle();
}

/** The progress of a consumer that must be there. */
export async function progressOf(driver: QueueDriver, queue: string, consumer: string): Promise<ConsumerProgress> {
  const found = await driver.progress(queue, consumer, never);
  assert(found !== null, `consumer ${consumer} of ${queue} is there`);
  return found;
}

/** Takes and settles everything that the consumer is given until nothing more comes; bodies in the order given. */
export async function consumeAll(world: QueueWorld, queue: string, consumer: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (;;) {
    const given = await world.take(queue, consumer, 50);
    if (given.length === 0) return found;
    found.push(...bodiesOf(given));
    await settleAll(given);
  }
}

/** Starts a consumer from the first message. */
export async function startFirst(driver: QueueDriver, queue: string, consumer: string, epoch = 1): Promise<void> {
  await driver.start(queue, consumer, { after: {}, epoch }, never);
}

/** Stops one consumer and starts the other where it stood, as a move does once nothing is in flight. */
export async function handOver(
  driver: QueueDriver,
  queue: string,
  [from, to]: readonly [string, string],
  epoch: number,
): Promise<QueuePositions> {
  await driver.stop(queue, from, epoch, never);
  const { settled } = await progressOf(driver, queue, from);
  await driver.start(queue, to, { after: settled, epoch }, never);
  return settled;
}

/** A pointer record of this world; `more` replaces what a case is about. */
export function pointerRecord(more: Partial<QueuePointer> = {}): QueuePointer {
  const from = { jobs: { "0": "0" } };
  return { producersTo: "jobs", consumer: "blue", phase: "acting", from, watermark: null, epoch: 1, step: 0, ...more };
}
