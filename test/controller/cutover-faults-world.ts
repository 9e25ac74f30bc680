import type { CutoverPlan } from "../../src/core/cutover/plan.ts";
import type { IndexFacts } from "../../src/core/release/index-facts.ts";
import { type MemoryIndexes, memoryIndexAliases } from "../../src/drivers/index/memory/index.ts";
import type { CacheDriver, CachedEntry } from "../../src/ports/cache.ts";
import type { IndexAliases } from "../../src/ports/index-alias.ts";
import { memoryQueue } from "../../src/testing/memory-queue.ts";
import { never } from "../../src/testing/queue-world.ts";
import { aGate, aPlan } from "../builders.ts";
import { CutoverWorld } from "./cutover-world.ts";

type Consumer = "blue" | "green";

const PLACE = { driver: "memory", url: "", secretFile: null };
const HASHES = { docs_va: "hash-a", docs_vb: "hash-b", docs_vc: "hash-c" } as const;

const factsOf = (name: string, indexHash: string): IndexFacts => {
  const stamp = { indexHash, metric: "cosine", analyzer: "a", embedSchema: "e", builtAt: "2026-01-01", count: 9 };
  return { name, count: 9, dims: 4, metric: "cosine", analyzer: null, notReady: null, stamp };
};

function planOfEverything(purge: readonly string[]): CutoverPlan {
  return {
    ...aPlan({ gates: [aGate("parity")], driver: "memory", stages: [] }),
    cutover: {
      index: {
        ...PLACE,
        alias: "docs_live",
        index: { stable: "docs_va", candidate: "docs_vb" },
        indexHash: { stable: "hash-a", candidate: "hash-b" },
      },
      queue: {
        ...PLACE,
        queue: { stable: "jobs.blue", candidate: "jobs.green" },
        consumer: { stable: "blue", candidate: "green" },
        pointer: "jobs",
      },
      cache: { ...PLACE, namespace: { stable: "blue:", candidate: "green:" }, purge },
      freezeMs: 60_000,
      holdMs: 4_000,
      stepWithinMs: 5_000,
      fromEpoch: 0,
    },
  };
}

/**
 * A cutover of everything in virtual time, on fakes: a queue, indexes and a cache in memory, each with the behaviour of
 * its port, and in each a fault that a test plants. The product's own actor, machine and executors carry it out.
 */
export class FaultWorld extends CutoverWorld {
  readonly queue = memoryQueue();
  readonly indexes: MemoryIndexes = {
    indexes: new Map(Object.entries(HASHES).map(([name, hash]) => [name, factsOf(name, hash)])),
    aliases: new Map([["docs_live", { index: "docs_va", epoch: 0, previous: null }]]),
  };
  readonly entries = new Map<string, CachedEntry>();
  /** Who settled each message, by its body. */
  readonly settledBy = new Map<string, Consumer[]>();
  produced = 0;
  /** Consumers that sleep with what they have. */
  readonly asleep = new Set<Consumer>();
  /** A producer that reads no pointer. */
  producesTo: string | null = null;
  /** Whoever is asked a question to warm the cache writes this. */
  writtenBy = "r-candidate";
  index: (aliases: IndexAliases) => IndexAliases = (aliases) => aliases;
  cache: (driver: CacheDriver) => CacheDriver = (driver) => driver;
  #inHand: { readonly queue: string; readonly consumer: Consumer; readonly number: number }[] = [];

  /** @param purge keys that are removed of stable's cache; none: all of it, and then nothing is left to prime by */
  constructor(purge: readonly string[] = []) {
    super({ name: "a fault", ends: "done" }, planOfEverything(purge));
    this.manifests = { stable: { INDEX_HASH: "hash-a" }, candidate: { INDEX_HASH: "hash-b" } };
    this.resources = {
      openQueue: async () => this.queue.driver,
      openIndex: async () => this.index(memoryIndexAliases(this.indexes)),
      openCache: async () => this.cache(this.#cacheDriver()),
      askWarm: async (_, { namespace }, question) => {
        this.entries.set(`${namespace}${question}`, { writtenBy: this.writtenBy, question });
      },
    };
    for (let n = 0; n < 20; n++) this.entries.set(`blue:q${n}`, { writtenBy: "r-stable", question: `q${n}` });
  }

  get alias(): string | undefined {
    return this.indexes.aliases.get("docs_live")?.index;
  }

  override async begin(): Promise<void> {
    await this.queue.driver.start("jobs.blue", "blue", { after: {}, epoch: 0 }, never);
    await super.begin();
  }

  override async moment(): Promise<void> {
    await super.moment();
    await this.work();
  }

  /** Messages that were not settled exactly once. */
  odd(): readonly string[] {
    const all = Array.from({ length: this.produced }, (_, n) => `m${n}`);
    return all.filter((body) => this.settledBy.get(body)?.length !== 1);
  }

  /** No more is produced; what there is, is worked off. */
  async finish(): Promise<void> {
    this.producesTo = "nowhere";
    for (let moment = 0; moment < 10; moment++) await this.work();
  }

  /** One producer, and a worker of each release: it settles what it took, then takes what it is given. */
  async work(): Promise<void> {
    const pointer = await this.queue.driver.readPointer("jobs", never);
    if (this.producesTo !== "nowhere")
      this.queue.produce(this.producesTo ?? pointer?.producersTo ?? "jobs.blue", [`m${this.produced++}`]);
    for (const consumer of ["blue", "green"] as const) {
      if (this.asleep.has(consumer)) continue;
      for (const one of this.#inHand.filter((hand) => hand.consumer === consumer)) this.#settle(one);
      this.#inHand = this.#inHand.filter((hand) => hand.consumer !== consumer);
      const isMine =
        pointer === null ? consumer === "blue" : pointer.consumer === consumer && pointer.phase === "acting";
      const queues = pointer === null ? ["jobs.blue"] : Object.keys(pointer.from);
      for (const queue of isMine ? (queues.length === 0 ? ["jobs.blue"] : queues) : [])
        for (const number of this.queue.take(queue, consumer, 1_000)) this.#inHand.push({ queue, consumer, number });
    }
  }

  #settle({ queue, consumer, number }: { queue: string; consumer: Consumer; number: number }): void {
    if (!this.queue.settle(queue, consumer, number)) return;
    const body = this.queue.bodyOf(queue, number);
    this.settledBy.set(body, [...(this.settledBy.get(body) ?? []), consumer]);
  }

  #cacheDriver(): CacheDriver {
    const { entries } = this;
    const of = (namespace: string) => [...entries.keys()].filter((key) => key.startsWith(namespace));
    return {
      name: "a fake of a cache",
      can: { purgeNamespace: true, list: true, immediate: true },
      async purge(namespace, keys) {
        const gone = keys === null ? of(namespace) : keys.map((key) => namespace + key);
        return gone.filter((key) => entries.delete(key)).length;
      },
      read: async (namespace, key) => entries.get(namespace + key) ?? null,
      topKeys: async (namespace, limit) =>
        of(namespace)
          .slice(0, limit)
          .map((key) => key.slice(namespace.length)),
      close: async () => {},
    };
  }
}
