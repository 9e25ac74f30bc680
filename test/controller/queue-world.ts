import type { Order } from "../../src/core/process/order.ts";
import { BP_NONE, epochMs } from "../../src/core/unit.ts";
import { type Executors, executorsOf, carryOut } from "../../src/controller/orders/carry-out.ts";
import type { Outcome } from "../../src/controller/orders/executor.ts";
import { type QueueCutover, queueOrders } from "../../src/controller/orders/queue.ts";
import { clockBySleep } from "../../src/ports/clock.ts";
import type { QueueDriver, QueuePointer } from "../../src/ports/queue.ts";
import { memoryQueue } from "../../src/testing/memory-queue.ts";
import { never } from "../../src/testing/queue-world.ts";

/** The process that carries an order out is gone. */
class Crash extends Error {}

/**
 * Dies at one call of the driver, before it or after it took effect; or sleeps there, before it, until all is over, and
 * then goes on as if nothing had happened.
 */
export interface Death {
  readonly call: number;
  readonly when: "before" | "after" | "sleeps";
}

interface InHand {
  readonly queue: string;
  readonly consumer: string;
  readonly number: number;
}

/**
 * A queue in virtual time: at every call of the driver and every pause a producer writes where the pointer says, and a
 * worker of each arm takes when it is the one that acts, and settles what it took a little later.
 */
export class QueueStory {
  readonly queue = memoryQueue();
  readonly plan: QueueCutover;
  /** Who settled each message, by its body. */
  readonly settledBy = new Map<string, string[]>();
  readonly produced: string[] = [];
  /** Consumers whose workers settle nothing any more. */
  readonly broken = new Set<string>();
  isProducing = true;
  /** Whether the product stops a consumer; else only the pointer does. */
  canStop = true;
  /** Messages produced at each moment. */
  perMoment = 1;
  calls = 0;
  nowMs = 0;
  #inHand: InHand[] = [];
  readonly #death: Death | null;
  readonly #fallsAsleep = gate<"asleep">();
  readonly #wakes = gate<void>();
  readonly #sleepers: Promise<unknown>[] = [];

  constructor(queue: { readonly stable: string; readonly candidate: string }, death: Death | null = null) {
    const place = { driver: "memory", url: "", secretFile: null };
    const consumer = { stable: "blue", candidate: "green" };
    this.plan = { cutover: { queue: { ...place, queue, consumer, pointer: "jobs" } } };
    this.#death = death;
  }

  /** Stable's consumer as a service has it before it ever heard of a cutover. */
  async begin(): Promise<this> {
    const { stable } = this.names.queue;
    await this.queue.driver.start(stable, "blue", { after: {}, epoch: 0 }, never);
    for (let moment = 0; moment < 5; moment++) await this.moment();
    return this;
  }

  get names() {
    const { queue } = this.plan.cutover;
    if (queue === null) throw new Error("a story has a queue");
    return queue;
  }

  pointer(): Promise<QueuePointer | null> {
    return this.queue.driver.readPointer("jobs", never);
  }

  /** One order to its end, by another process where one died. */
  async order(verb: string, args: Order["args"], epoch: number, withinMs = 5_000): Promise<Outcome> {
    const order = { id: `c-1/1/${epoch}`, port: "queue", verb, args, epoch, withinMs };
    const by = { plan: this.plan, pinned: null, candidateBp: BP_NONE };
    for (;;) {
      const work = carryOut(order, by, this.#executors(), this.#clock, never).catch(diedOf);
      const outcome = await (this.#sleepers.length === 0 ? Promise.race([work, this.#fallsAsleep.promise]) : work);
      if (outcome === "asleep") this.#sleepers.push(work);
      else if (outcome !== null) return outcome;
    }
  }

  /** Whoever slept goes on, and comes to an end. */
  async wake(): Promise<void> {
    this.#wakes.resolve();
    await Promise.all(this.#sleepers);
  }

  /** Until nothing is left: the producer rests. */
  async finish(): Promise<void> {
    this.isProducing = false;
    for (let moment = 0; moment < 200; moment++) await this.moment();
  }

  /** Bodies that were not settled exactly once. */
  odd(): readonly string[] {
    return this.produced.filter((body) => this.settledBy.get(body)?.length !== 1);
  }

  async moment(): Promise<void> {
    const pointer = await this.pointer();
    const { queue, consumer } = this.names;
    if (this.isProducing) {
      for (let count = 0; count < this.perMoment; count++) {
        const body = `m-${this.produced.length}`;
        this.produced.push(body);
        this.queue.produce(pointer?.producersTo ?? queue.stable, [body]);
      }
    }
    const ripe = this.#inHand.filter((message) => !this.broken.has(message.consumer)).slice(0, 2);
    for (const message of ripe) this.#settle(message);
    for (const name of [consumer.stable, consumer.candidate]) {
      const acts =
        pointer === null ? name === consumer.stable : pointer.phase === "acting" && pointer.consumer === name;
      const reads =
        pointer === null || Object.keys(pointer.from).length === 0 ? [queue.stable] : Object.keys(pointer.from);
      if (!acts) continue;
      for (const from of reads)
        for (const number of this.queue.take(from, name, 2)) this.#inHand.push({ queue: from, consumer: name, number });
    }
  }

  #settle(message: InHand): void {
    this.#inHand = this.#inHand.filter((other) => other !== message);
    if (!this.queue.settle(message.queue, message.consumer, message.number)) return; // Given to somebody else meanwhile.
    const body = this.queue.bodyOf(message.queue, message.number);
    this.settledBy.set(body, [...(this.settledBy.get(body) ?? []), message.consumer]);
  }

  readonly #clock = clockBySleep({
    wallMs: () => epochMs(this.nowMs),
    monoMs: () => this.nowMs,
    sleep: async (ms) => {
      this.nowMs += ms;
      await this.moment();
    },
  });

  #executors(): Executors<QueueCutover> {
    return executorsOf(queueOrders<QueueCutover>({ clock: this.#clock, openQueue: async () => this.#mortal() }));
  }

  /** The driver of one process, which lives while the world goes on. */
  #mortal(): QueueDriver {
    const { driver } = this.queue;
    const live = async <T>(work: () => Promise<T>): Promise<T> => {
      const call = this.calls++;
      if (this.#death?.call === call && this.#death.when === "sleeps") {
        this.#fallsAsleep.resolve("asleep");
        await this.#wakes.promise;
      }
      const dies = (when: Death["when"]) => this.#death?.call === call && this.#death.when === when;
      if (dies("before")) throw new Crash();
      const answer = await work();
      await this.moment();
      if (dies("after")) throw new Crash();
      return answer;
    };
    return {
      ...driver,
      can: { ...driver.can, stop: this.canStop },
      end: (...args) => live(() => driver.end(...args)),
      progress: (...args) => live(() => driver.progress(...args)),
      stop: (...args) => live(async () => (this.canStop ? driver.stop(...args) : undefined)),
      start: (...args) => live(() => driver.start(...args)),
      readPointer: (...args) => live(() => driver.readPointer(...args)),
      movePointer: (...args) => live(() => driver.movePointer(...args)),
    };
  }
}

/** A process that died has no outcome. */
function diedOf(error: unknown): null {
  if (error instanceof Crash) return null;
  throw error;
}

/** A promise that somebody else resolves. */
function gate<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
