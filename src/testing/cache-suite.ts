import { assert } from "../core/assert.ts";
import type { CacheDriver, CachedEntry } from "../ports/cache.ts";
import { DriverError } from "../ports/driver-error.ts";
import { bodies, never, same } from "./queue-world.ts";

/** What a cache brings to its conformance run: the product, and a service that writes into it. */
export interface CacheWorld {
  /** `nobody`: nothing listens at its address. `silent`: what listens there takes connections and never answers. */
  open(at: "server" | "nobody" | "silent"): Promise<CacheDriver>;
  /** A namespace of this world alone that ends as given, so that a shared server needs no cleaning. */
  namespace(end: string): string;
  /** Writes entries, as a service does. */
  put(namespace: string, keys: readonly string[], entry: CachedEntry): Promise<void>;
  close(): Promise<void>;
}

export interface CacheCase {
  readonly name: string;
  run(world: CacheWorld): Promise<void>;
}

const MANY = 2_000;
const BLUE: CachedEntry = { writtenBy: "blue", question: "what is a lease?" };

const removalCases: readonly CacheCase[] = [
  {
    name: "removes the keys it is told, of one namespace alone, and says how many there were",
    async run(world) {
      const [driver, blue, green] = [await world.open("server"), world.namespace("blue:"), world.namespace("green:")];
      for (const namespace of [blue, green]) await world.put(namespace, ["a", "b", "c"], BLUE);
      const removed = await driver.purge(blue, ["a", "c", "never-there"], never);
      assert(removed === null || removed === 2, `removed 2 or cannot say, found ${removed}`);
      const found = await Promise.all(["a", "b", "c"].map((key) => driver.read(blue, key, never)));
      same(found, [null, BLUE, null], "left in the namespace");
      same(await driver.read(green, "a", never), BLUE, "the other namespace");
      same((await driver.purge(blue, ["a"], never)) ?? 0, 0, "removed again");
    },
  },
  {
    name: `removes all of a namespace of ${MANY} entries and none of another, whatever signs the names have`,
    async run(world) {
      const driver = await world.open("server");
      const [starred, plain] = [world.namespace("a*[b]?\\:"), world.namespace("ab:")];
      await world.put(starred, bodies(1, MANY), BLUE);
      await world.put(plain, bodies(1, 30), BLUE);
      const removed = await driver.purge(starred, null, never);
      assert(removed === null || removed === MANY, `removed ${MANY} or cannot say, found ${removed}`);
      same(await driver.read(starred, "777", never), null, "one of them");
      same(await driver.topKeys(starred, 5, never), [], "keys left");
      same((await driver.topKeys(plain, 100, never)).length, 30, "keys of the other namespace");
      same((await driver.purge(starred, null, never)) ?? 0, 0, "removed again");
    },
  },
];

const readingCases: readonly CacheCase[] = [
  {
    name: "reads who wrote an entry and what was asked, null for what nobody noted, and null for what is not cached",
    async run(world) {
      const [driver, namespace] = [await world.open("server"), world.namespace("read:")];
      await world.put(namespace, ["noted"], { writtenBy: "rel-7", question: 'a "quoted" ü?' });
      await world.put(namespace, ["bare"], { writtenBy: null, question: null });
      same(await driver.read(namespace, "noted", never), { writtenBy: "rel-7", question: 'a "quoted" ü?' }, "noted");
      same(await driver.read(namespace, "bare", never), { writtenBy: null, question: null }, "bare");
      same(await driver.read(namespace, "absent", never), null, "absent");
    },
  },
  {
    name: "lists at most as many keys as it is asked for, without the namespace and of it alone",
    async run(world) {
      const [driver, one, two] = [await world.open("server"), world.namespace("list-1:"), world.namespace("list-2:")];
      await world.put(one, bodies(1, 40), BLUE);
      await world.put(two, ["foreign"], BLUE);
      const some = await driver.topKeys(one, 7, never);
      same(some.length, 7, "keys");
      const all = [...(await driver.topKeys(one, 1_000, never))].sort((a, b) => Number(a) - Number(b));
      same(all, bodies(1, 40), "all keys, each once");
      same(await driver.topKeys(one, 0, never), [], "none asked for");
    },
  },
];

function everyCall(driver: CacheDriver, signal: AbortSignal): readonly (() => Promise<unknown>)[] {
  return [
    () => driver.purge("n:", ["k"], signal),
    () => driver.purge("n:", null, signal),
    () => driver.read("n:", "k", signal),
    () => driver.topKeys("n:", 3, signal),
  ];
}

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (reason: unknown) => (reason instanceof DriverError ? reason.code : reason),
  );

const failureCases: readonly CacheCase[] = [
  {
    name: "rejects with DriverError `unreachable` when the server is away, whatever is asked",
    async run(world) {
      const driver = await world.open("nobody");
      for (const call of everyCall(driver, never)) same(await failureOf(call()), "unreachable", "nobody listens");
      await driver.close();
    },
  },
  {
    name: "lets go at once when the signal aborts, before the call and while the server is silent",
    async run(world) {
      const [driver, silent] = [await world.open("server"), await world.open("silent")];
      for (const call of everyCall(driver, AbortSignal.abort("gone"))) same(await failureOf(call()), "gone", "before");
      for (const index of everyCall(silent, never).keys()) {
        const cancel = new AbortController();
        const failure = failureOf((everyCall(silent, cancel.signal)[index] as () => Promise<unknown>)());
        setTimeout(() => cancel.abort("gone"), 20);
        same(await failure, "gone", `meanwhile, call ${index}`);
      }
      await silent.close();
    },
  },
];

/** What every cache that is split between arms must do. Data without a test runner. */
export const cacheSuite: readonly CacheCase[] = [...removalCases, ...readingCases, ...failureCases];

/** Registers the suite with a test runner. A waiver names its case and gives the reason; a stale waiver fails. */
export function cacheConformance(
  open: () => CacheWorld,
  it: (name: string, run: () => Promise<void>) => void,
  waived: Readonly<Record<string, string>> = {},
): void {
  const stale = Object.keys(waived).filter((name) => !cacheSuite.some((one) => one.name === name));
  assert(stale.length === 0, `stale waivers: ${stale.join("; ")}`);
  for (const one of cacheSuite.filter(({ name }) => !(name in waived)))
    it(one.name, async () => {
      const world = open();
      try {
        await one.run(world);
      } finally {
        await world.close();
      }
    });
}
