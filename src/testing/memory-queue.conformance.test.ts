import { describe, it } from "vitest";
import { DriverError } from "../ports/driver-error.ts";
import type { QueueDriver } from "../ports/queue.ts";
import { memoryQueue } from "./memory-queue.ts";
import { queueConformance, type QueueWorld } from "./queue-suite.ts";

/** Every call of the driver answered by `answer` instead. */
function instead(driver: QueueDriver, answer: (signal: AbortSignal) => Promise<never>): QueueDriver {
  return {
    ...driver,
    end: (_, signal) => answer(signal),
    progress: (_, __, signal) => answer(signal),
    stop: (_, __, ___, signal) => answer(signal),
    start: (_, __, ___, signal) => answer(signal),
    readPointer: (_, signal) => answer(signal),
    movePointer: (_, __, signal) => answer(signal),
  };
}

function world(): QueueWorld {
  const queue = memoryQueue();
  let calls = 0;
  const away = () => Promise.reject(new DriverError("unreachable", "safe", "queue/memory: switched off"));
  const silent = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  return {
    async open(at) {
      const { driver } = queue;
      if (at !== "server") return instead(driver, at === "nobody" ? away : silent);
      const progress: QueueDriver["progress"] = (...args) => driver.progress(...args).finally(() => calls++);
      return { ...driver, progress };
    },
    queue: async (name) => name,
    produce: async (name, bodies) => queue.produce(name, bodies),
    take: async (name, consumer, max) =>
      queue.take(name, consumer, max).map((number) => ({
        body: queue.bodyOf(name, number),
        settle: async () => void queue.settle(name, consumer, number),
      })),
    receivedBytes: () => calls, // Nothing is received; a call counts as one byte.
    close: async () => {},
  };
}

describe("the fake of a queue (it listens nowhere: being away and silent are played too)", () => {
  queueConformance(world, it);
});
