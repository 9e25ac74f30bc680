import { type AliasRecord } from "../../src/drivers/index/flip-rule.ts";
import { memoryIndexAliases, type MemoryIndexes } from "../../src/drivers/index/memory/driver.ts";
import type { Resources } from "../../src/controller/resources.ts";
import type { RandomStream } from "../../src/core/stats/random.ts";
import type { CacheDriver, CachedEntry } from "../../src/ports/cache.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { DriverError } from "../../src/ports/driver-error.ts";
import type { AliasFlip, IndexAliases } from "../../src/ports/index-alias.ts";
import type { QueueDriver, QueuePointer } from "../../src/ports/queue.ts";
import { memoryQueue } from "../../src/testing/memory-queue.ts";
import { Crash, type Life, type Point } from "../controller/life.ts";
import type { Hindrance, Product } from "./cutover-scenario.ts";
import type { Fail } from "./journal-laws.ts";

/** How often a call takes any time at all, and how long then. */
const SLOW_SHARE = 0.5;
const SLOW_MS = 6;
/** On the way back what a consumer has in hand is waited for so long, and not for ever. */
const GIVEN_UP_MS = 4_900;

interface ProductsWorld {
  readonly clock: Clock;
  readonly random: RandomStream;
  readonly fail: Fail;
  note(text: string): void;
  /** Whether an order with this fencing token is durable. */
  isOrdered(epoch: number): boolean;
  /** The queue's record says that another consumer goes on. @param inFlight what the one before has in hand */
  moved(inFlight: number): void;
}

/**
 * The products that a cutover moves, in memory: an index store, a queue and a cache, which outlive every controller.
 * For a while one of them may refuse, lose its answer, or say done what is not done yet.
 */
export class Products {
  readonly indexes: MemoryIndexes = { indexes: new Map(), aliases: new Map<string, AliasRecord>() };
  readonly queue = memoryQueue();
  readonly entries = new Map<string, CachedEntry & { readonly atMs: number }>();
  readonly #returned: (InHand & { readonly consumer: string })[] = [];
  /** The record of the queue as it is, null before the first move. */
  pointer: QueuePointer | null = null;
  readonly #world: ProductsWorld;
  readonly #hindered = new Map<Product, Hindrance>();
  readonly #unseen: AliasFlip[] = [];
  /** Since when the consumer that acts takes nothing any more; null while one acts. */
  #stoppingSinceMs: number | null = null;

  constructor(world: ProductsWorld) {
    this.#world = world;
  }

  build(name: string, metric: string): void {
    const built = { metric, analyzer: "a", embedSchema: "e", builtAt: "2026-01-01T00:00:00Z", count: 9 };
    const stamp = { indexHash: `hash of ${name}`, ...built };
    this.indexes.indexes.set(name, { name, count: 9, dims: 2, metric, analyzer: "a", stamp, notReady: null });
  }

  /** Until `forMs` are over. What was said and not done is done then, or never. */
  async hinder(product: Product, how: Hindrance, forMs: number): Promise<void> {
    this.#hindered.set(product, how);
    await this.#world.clock.sleep(forMs);
    this.#hindered.delete(product);
    for (const flip of this.#unseen.splice(0)) if (this.#world.random() < 0.5) await this.#late(flip);
  }

  heal(): void {
    this.#hindered.clear();
  }

  /** What an arm caches of what it answers. */
  cache(release: string, question: string, namespace = `${release}:`): void {
    const atMs = this.#world.clock.monoMs();
    this.entries.set(`${namespace}${question}`, { writtenBy: release, question, atMs });
  }

  /** What a release cached before `ms` and is still there. */
  cachedBefore(release: string, ms: number): readonly string[] {
    return [...this.entries]
      .filter(([key, { atMs }]) => key.startsWith(`${release}:`) && atMs < ms)
      .map(([key]) => key);
  }

  giveBack(consumer: string, message: InHand): void {
    this.#returned.push({ ...message, consumer });
  }

  takeReturned(queue: string, consumer: string): InHand | null {
    const place = this.#returned.findIndex((one) => one.queue === queue && one.consumer === consumer);
    return place < 0 ? null : (this.#returned.splice(place, 1)[0] ?? null);
  }

  /** The products as one controller process reaches them. */
  of(life: Life, clock: Clock, isAnswering: (release: string) => boolean): Resources {
    const wrap =
      (product: Product) =>
      <T>(work: () => Promise<T>, change: Change<T> | null = null): Promise<T> =>
        this.#call({ product, life, clock }, work, change);
    return {
      openIndex: async () => this.#index(wrap("index")),
      openQueue: async () => this.#queue(wrap("queue")),
      openCache: async () => this.#cache(wrap("cache")),
      askWarm: async ({ arms }, { arm, namespace }, question) => {
        await clock.sleep(5);
        if (!isAnswering(arms[arm].releaseId)) throw new DriverError("unreachable", "safe", `${arm} does not answer`);
        this.cache(arms[arm].releaseId, question, namespace);
      },
    };
  }

  async #late(flip: AliasFlip): Promise<void> {
    const { kind } = await memoryIndexAliases(this.indexes).flip(flip, new AbortController().signal);
    this.#world.note(`late: ${flip.alias} to ${flip.to}: ${kind}`);
  }

  async #call<T>({ product, life, clock }: Caller, work: () => Promise<T>, change: Change<T> | null): Promise<T> {
    const pass = (point: Point): void => (change === null ? undefined : life.pass(point));
    await this.#take(clock);
    if (life.isDead) throw new Crash("dead");
    pass("before-product");
    const how = this.#hindered.get(product);
    if (how === "refuses") throw new DriverError("unreachable", "safe", `${product} does not answer`);
    if (how === "errs" && change !== null) throw new DriverError("rejected", "never", `${product} takes no order now`);
    if (change !== null) this.#world.note(`${product}: ${change.text}${how === undefined ? "" : ` (${how})`}`);
    const answer = how === "unseen" && change?.unseen !== undefined ? change.unseen() : await work();
    pass("after-product");
    await this.#take(clock);
    if (life.isDead) throw new Crash("dead");
    if (how === "loses-answer") throw new DriverError("timeout", "after-read", `${product} did not answer in time`);
    return answer;
  }

  async #take(clock: Clock): Promise<void> {
    if (this.#world.random() < SLOW_SHARE) await clock.sleep(Math.ceil(this.#world.random() * SLOW_MS));
  }

  #ordered(epoch: number, what: string): void {
    if (!this.#world.isOrdered(epoch)) this.#world.fail("begun", `${what} by token ${epoch}, which nothing ordered`);
  }

  #index(call: Wrapped): IndexAliases {
    const driver = memoryIndexAliases(this.indexes);
    return {
      ...driver,
      describe: (index, signal) => call(() => driver.describe(index, signal)),
      readAlias: (alias, signal) => call(() => driver.readAlias(alias, signal)),
      readThrough: (alias, signal) => call(() => driver.readThrough(alias, signal)),
      flip: (flip, signal) => {
        this.#ordered(flip.epoch, `${flip.alias} is moved`);
        const unseen = () => {
          this.#unseen.push(flip);
          return { kind: "moved" } as const;
        };
        return call(() => driver.flip(flip, signal), { text: `${flip.alias} to ${flip.to}`, unseen });
      },
    };
  }

  #queue(call: Wrapped): QueueDriver {
    const { driver } = this.queue;
    return {
      ...driver,
      end: (...args) => call(() => driver.end(...args)),
      progress: (...args) => call(() => driver.progress(...args)),
      stop: (...args) => call(() => driver.stop(...args), { text: `${args[1]} stops in ${args[0]}` }),
      start: (...args) => call(() => driver.start(...args), { text: `${args[1]} starts in ${args[0]}` }),
      readPointer: (...args) => call(() => driver.readPointer(...args)),
      movePointer: (name, next, signal) => {
        this.#ordered(next.epoch, "the record of the queue is moved");
        const move = async () => {
          const before = this.pointer ?? next;
          const result = await driver.movePointer(name, next, signal);
          const nowMs = this.#world.clock.monoMs();
          if (next.phase === "stopping") this.#stoppingSinceMs ??= nowMs;
          if (next.phase === "starting" && result.kind === "moved") {
            const inFlight = await this.#inFlight(Object.keys(next.from), before.consumer, signal);
            this.#world.moved(inFlight);
            const waitedMs = nowMs - (this.#stoppingSinceMs ?? nowMs);
            if (inFlight > 0 && waitedMs < GIVEN_UP_MS)
              this.#world.fail("waited for", `${inFlight} messages in hand are given up after ${waitedMs} ms`);
          }
          if (next.phase !== "stopping") this.#stoppingSinceMs = null;
          this.pointer = await driver.readPointer(name, signal);
          return result;
        };
        return call(move, { text: `${next.consumer} is ${next.phase}, producers to ${next.producersTo}` });
      },
    };
  }

  async #inFlight(queues: readonly string[], consumer: string, signal: AbortSignal): Promise<number> {
    const found = queues.map((queue) => this.queue.driver.progress(queue, consumer, signal));
    return (await Promise.all(found)).reduce((sum, one) => sum + (one?.inFlight ?? 0), 0);
  }

  #cache(call: Wrapped): CacheDriver {
    const { entries } = this;
    const under = (namespace: string) => [...entries.keys()].filter((key) => key.startsWith(namespace));
    return {
      name: "cache of this world",
      can: { purgeNamespace: true, list: true, immediate: false },
      purge: (namespace, keys) => {
        const gone = () => (keys === null ? under(namespace) : keys.map((key) => namespace + key));
        const purge = async () => gone().filter((key) => entries.delete(key)).length;
        return call(purge, { text: `purge ${namespace}`, unseen: () => gone().length });
      },
      read: (namespace, key) => call(async () => entries.get(namespace + key) ?? null),
      topKeys: (namespace, limit) =>
        call(async () =>
          under(namespace)
            .slice(0, limit)
            .map((key) => key.slice(namespace.length)),
        ),
      close: async () => {},
    };
  }
}

/** A message that a worker was given. */
export interface InHand {
  readonly queue: string;
  readonly number: number;
}

/** A call that changes something; `unseen`: what it answers when it does nothing for now. */
interface Change<T> {
  readonly text: string;
  readonly unseen?: () => T;
}

interface Caller {
  readonly product: Product;
  readonly life: Life;
  readonly clock: Clock;
}

type Wrapped = <T>(work: () => Promise<T>, change?: Change<T> | null) => Promise<T>;
