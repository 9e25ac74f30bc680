import { DriverError } from "../ports/driver-error.ts";
import type { QueueDriver, QueuePointer } from "../ports/queue.ts";

/** A fake of a queue, for tests of whoever moves consumers. What it holds is gone with the process. */
export interface MemoryQueue {
  readonly driver: QueueDriver;
  produce(queue: string, bodies: readonly string[]): void;
  /** Numbers of the messages given, in order; the body of number n is `bodyOf(queue, n)`. */
  take(queue: string, consumer: string, max: number): readonly number[];
  bodyOf(queue: string, number: number): string;
  /** False when it was not in flight any more. */
  settle(queue: string, consumer: string, number: number): boolean;
}

interface Consumer {
  epoch: number;
  isStopped: boolean;
  /** Number of the last message given. */
  given: number;
  readonly inFlight: Set<number>;
}

interface Queue {
  readonly bodies: string[];
  readonly consumers: Map<string, Consumer>;
}

/** As products behave whose consumers have a position each. Messages are numbered from 1. */
export function memoryQueue(): MemoryQueue {
  const queues = new Map<string, Queue>();
  const pointers = new Map<string, QueuePointer>();
  const queueOf = (name: string): Queue => {
    const found = queues.get(name) ?? { bodies: [], consumers: new Map() };
    queues.set(name, found);
    return found;
  };
  const consumerOf = (queue: string, name: string) => queueOf(queue).consumers.get(name);
  return {
    driver: driverOf(queueOf, pointers),
    produce: (queue, bodies) => void queueOf(queue).bodies.push(...bodies),
    take(queue, name, max) {
      const consumer = consumerOf(queue, name);
      if (consumer === undefined || consumer.isStopped) return [];
      const last = Math.min(queueOf(queue).bodies.length, consumer.given + max);
      const numbers = Array.from({ length: last - consumer.given }, (_, place) => consumer.given + 1 + place);
      for (const number of numbers) consumer.inFlight.add(number);
      consumer.given = last;
      return numbers;
    },
    bodyOf: (queue, number) => queueOf(queue).bodies[number - 1] ?? "",
    settle: (queue, name, number) => consumerOf(queue, name)?.inFlight.delete(number) ?? false,
  };
}

function driverOf(queueOf: (name: string) => Queue, pointers: Map<string, QueuePointer>): QueueDriver {
  const fence = (consumer: Consumer | undefined, epoch: number, isTooLate: boolean) => {
    if (consumer === undefined || (epoch >= consumer.epoch && !isTooLate)) return;
    throw new DriverError("stale-token", "never", `queue/memory: moved by epoch ${consumer.epoch}, found ${epoch}`);
  };
  const number = (positions: Readonly<Record<string, string>>) => Number(positions["0"] ?? "0");
  return {
    name: "queue/memory",
    can: { positions: true, stop: true, exactCounts: true },
    async end(queue, signal) {
      signal.throwIfAborted();
      return { "0": String(queueOf(queue).bodies.length) };
    },
    reaches: (found, mark) => number(found) >= number(mark),
    async progress(queue, name, signal) {
      signal.throwIfAborted();
      const { bodies, consumers } = queueOf(queue);
      const consumer = consumers.get(name);
      if (consumer === undefined) return null;
      const settled = Math.min(consumer.given + 1, ...consumer.inFlight) - 1;
      const waiting = bodies.length - consumer.given;
      return { settled: { "0": String(settled) }, inFlight: consumer.inFlight.size, waiting };
    },
    async stop(queue, name, epoch, signal) {
      signal.throwIfAborted();
      const consumer = queueOf(queue).consumers.get(name);
      fence(consumer, epoch, consumer?.epoch === epoch && !consumer.isStopped);
      if (consumer !== undefined) Object.assign(consumer, { epoch, isStopped: true });
    },
    async start(queue, name, { after, epoch }, signal) {
      signal.throwIfAborted();
      const consumer = queueOf(queue).consumers.get(name);
      fence(consumer, epoch, false);
      if (consumer?.epoch === epoch && !consumer.isStopped) return;
      queueOf(queue).consumers.set(name, { epoch, isStopped: false, given: number(after), inFlight: new Set() });
    },
    async readPointer(pointer, signal) {
      signal.throwIfAborted();
      return pointers.get(pointer) ?? null;
    },
    async movePointer(pointer, next, signal) {
      signal.throwIfAborted();
      const found = pointers.get(pointer) ?? null;
      const isLater =
        found === null || next.epoch > found.epoch || (next.epoch === found.epoch && next.step > found.step);
      if (isLater) pointers.set(pointer, structuredClone(next));
      const isSame = JSON.stringify(found) === JSON.stringify(next);
      return isLater || isSame ? { kind: "moved" } : { kind: "refused", found };
    },
    close: async () => {},
  };
}
