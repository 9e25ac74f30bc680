import { describe, expect, it } from "vitest";
import type { ServingArm } from "../../core/arm.ts";
import type { IndexPlan } from "../../core/cutover/resources.ts";
import type { IndexFacts } from "../../core/release/index-facts.ts";
import type { Manifest } from "../../core/release/manifest.ts";
import { bp } from "../../core/unit.ts";
import { overall } from "../../core/verdict.ts";
import { type MemoryIndexes, memoryIndexAliases } from "../../drivers/index/memory/index.ts";
import { DriverError } from "../../ports/driver-error.ts";
import type { IndexAliases } from "../../ports/index-alias.ts";
import { manualClock } from "../../testing/manual-clock.ts";
import { carryOut, executorsOf } from "./carry-out.ts";
import type { Orderer, Outcome } from "./executor.ts";
import { type IndexCutover, indexOrders } from "./index.ts";

const [BLUE, GREEN] = ["b".repeat(64), "c".repeat(64)];

function facts(name: string, indexHash: string, more: Partial<IndexFacts> = {}): IndexFacts {
  const shape = { metric: "cosine", analyzer: "words", embedSchema: "e@1", builtAt: "2026-01-01T00:00:00Z" };
  const stamp = { indexHash, count: 3, ...shape };
  return { name, count: 3, dims: 2, metric: "cosine", analyzer: null, stamp, notReady: null, ...more };
}

function manifest(INDEX_HASH: string, more: Partial<Manifest> = {}): Manifest {
  const schema = { EMBED_SCHEMA: "e@1", RERANK_CONF: "-", PROMPT_VER: "-", MODEL_VER: "-", secrets_rev: "-" };
  const revision = { SCHEMA_REV: { min: "sc-1", max: "sc-1" }, BUILD_TS: "-" };
  return { release_id: "r", INDEX_HASH, METRIC: "cosine", ANALYZER: "words", ...schema, ...revision, ...more };
}

const PLAN: IndexPlan = {
  driver: "memory",
  url: "memory:",
  secretFile: null,
  alias: "live",
  index: { stable: "v1", candidate: "v2" },
  indexHash: { stable: null, candidate: null },
};

interface Scene {
  readonly green?: Partial<IndexFacts>;
  readonly plan?: Partial<IndexPlan> | null;
  readonly pinned?: Orderer<IndexCutover>["pinned"];
  readonly changes?: IndexCutover["changes"];
  readonly wrap?: (right: IndexAliases) => Partial<IndexAliases>;
}

function scene({ green, plan, pinned, changes = [], wrap }: Scene = {}) {
  const store: MemoryIndexes = { indexes: new Map(), aliases: new Map() };
  store.indexes.set("v1", facts("v1", BLUE)).set("v2", facts("v2", GREEN, green));
  store.aliases.set("live", { index: "v1", epoch: 1, previous: null });
  const clock = manualClock();
  let opened = 0;
  const openIndex = async () => {
    opened++;
    const right = memoryIndexAliases(store);
    return { ...right, ...wrap?.(right), close: async () => void opened-- };
  };
  const executors = executorsOf(indexOrders<IndexCutover>({ openIndex, clock }));
  const terms: IndexCutover = { cutover: { index: plan === null ? null : { ...PLAN, ...plan } }, changes };
  const byDefault = { stable: manifest(BLUE), candidate: manifest(GREEN) };
  const by: Orderer<IndexCutover> = {
    plan: terms,
    pinned: pinned === undefined ? byDefault : pinned,
    candidateBp: bp(0),
  };
  const run = async (verb: "check" | "flip", args: object, epoch: number | null = 2): Promise<Outcome> => {
    const order = { id: "c/1/1", port: "index", verb, args: args as { arm: ServingArm }, withinMs: 2_000 };
    const outcome = carryOut(
      epoch === null ? order : { ...order, epoch },
      by,
      executors,
      clock,
      new AbortController().signal,
    );
    let isOver = false;
    void outcome.then(
      () => (isOver = true),
      () => (isOver = true),
    );
    while (!isOver) await clock.advance(100);
    return outcome;
  };
  return { run, store, opened: () => opened };
}

async function check(options: Scene, arm: ServingArm = "candidate") {
  const outcome = await scene(options).run("check", { arm });
  if (outcome.kind === "failed") throw new Error(outcome.message);
  const told = outcome.verdicts.filter(({ kind }) => kind !== "pass").map((one) => `${one.instance} ${one.kind}`);
  return { overall: overall(outcome.verdicts), told, reasons: outcome.verdicts.map(({ reason }) => reason).join("\n") };
}

const stamp = facts("v2", GREEN).stamp!;

describe("index.check", () => {
  it("passes the index that its service states, for either arm", async () => {
    expect(await check({})).toMatchObject({ overall: "pass", told: [] });
    expect(await check({}, "stable")).toMatchObject({ overall: "pass", told: [] });
  });

  it.each([
    ["metric", "METRIC", "l2"],
    ["analyzer", "ANALYZER", "stems"],
  ] as const)(
    "refuses an index of another %s though the hashes are equal, and asks for a rebuild",
    async (word, field, other) => {
      const states = { stable: manifest(BLUE), candidate: manifest(GREEN, { [field]: other }) };
      const found = await check({ pinned: states });
      expect(found).toMatchObject({ overall: "fail", told: [`${word} fail`] });
      expect(found.reasons).toMatch(/expects .*INDEX_HASH does not make up for it: build the index again/);
    },
  );

  it("refuses a store that works by another metric than its index is stamped with", async () => {
    const found = await check({ green: { metric: "l2" } });
    expect(found).toMatchObject({ overall: "fail", told: ["metric fail"] });
  });

  it.each<[string, Scene, string[]]>([
    ["another hash than the service states", { green: { stamp: { ...stamp, indexHash: BLUE } } }, ["hash fail"]],
    [
      "another hash than the plan says",
      { plan: { indexHash: { stable: null, candidate: BLUE } } },
      ["claims fail", "hash fail"],
    ],
    ["no stamp", { green: { stamp: null } }, ["hash no-data", "analyzer no-data"]],
    ["no row", { green: { count: 0 } }, ["rows fail"]],
    ["fewer rows than it is stamped with", { green: { count: 2 } }, ["rows fail"]],
    ["a build that runs", { green: { notReady: "a build runs" } }, ["rows inconclusive"]],
    ["another embedding", { green: { stamp: { ...stamp, embedSchema: "e@2" } } }, ["embedding fail"]],
    ["no name in the store", { plan: { index: { stable: "v1", candidate: "v9" } } }, ["rows fail"]],
  ])("does not pass an index with %s", async (_, options, told) => {
    const found = await check(options);
    expect(found.told).toEqual(told);
    expect(found.overall).not.toBe("pass");
  });

  it("has no data where neither plan nor service says a hash, and takes metric and analyzer of the other arm then", async () => {
    expect(await check({ pinned: null })).toMatchObject({ overall: "no-data", told: ["hash no-data"] });
    const plan = { indexHash: { stable: null, candidate: GREEN } };
    expect(await check({ pinned: null, plan })).toMatchObject({ overall: "pass" });
    const odd = { metric: "l2", stamp: { ...stamp, metric: "l2" } };
    expect(await check({ pinned: null, plan, green: odd })).toMatchObject({ told: ["metric fail"] });
    const changes = ["METRIC"] as const;
    expect(await check({ pinned: null, plan, green: odd, changes })).toMatchObject({ told: ["metric no-data"] });
  });

  it("waits within its budget for an index that becomes ready", async () => {
    let left = 3;
    const wrap: Scene["wrap"] = (right) => ({
      async describe(index, signal) {
        const found = await right.describe(index, signal);
        return found === null || index !== "v2" || left-- <= 0 ? found : { ...found, notReady: "a build runs" };
      },
    });
    expect(await check({ wrap })).toMatchObject({ overall: "pass" });
  });
});

describe("index.flip", () => {
  it("moves the name with its epoch and is done when the new stamp was read through it several times in a row", async () => {
    let reads = 0;
    const counted = (right: IndexAliases) => ({
      readThrough: (alias: string, signal: AbortSignal) => (reads++, right.readThrough(alias, signal)),
    });
    const { run, store, opened } = scene({ wrap: counted });
    expect(await run("flip", { to: "candidate" }, 7)).toEqual({ kind: "done", verdicts: [] });
    expect(store.aliases.get("live")).toEqual({ index: "v2", epoch: 7, previous: "v1" });
    expect(reads).toBe(3);
    expect(await run("flip", { to: "candidate" }, 7)).toMatchObject({ kind: "done" });
    expect(await run("flip", { to: "stable" }, 8)).toMatchObject({ kind: "done" });
    expect([...store.indexes.keys()]).toEqual(["v1", "v2"]);
    expect(opened()).toBe(0);
  });

  it("is not done while one replica of several reads the old stamp, and begins to count again after it", async () => {
    const answers = [[GREEN], [GREEN, BLUE], [GREEN, GREEN], [GREEN, GREEN], [GREEN, GREEN]];
    let reads = 0;
    const lagging = () => ({ readThrough: async () => answers[Math.min(reads++, 4)] ?? [] });
    expect(await scene({ wrap: lagging }).run("flip", { to: "candidate" })).toMatchObject({ kind: "done" });
    expect(reads).toBe(5);
  });

  it.each<[string, () => Partial<IndexAliases>, RegExp]>([
    ["the old stamp", () => ({ readThrough: async () => [BLUE] }), /was read b{64}; expected v2 with c{64}/],
    ["no stamp on one replica", () => ({ readThrough: async () => [GREEN, null] }), /no stamp/],
    ["nothing", () => ({ readThrough: async () => [] }), /was read nothing/],
    ["another index", () => ({ readAlias: async () => ({ index: "v3", epoch: 3, previous: null }) }), /points to v3/],
  ])("is not done when %s is read back until its budget is over", async (_, wrap, message) => {
    const outcome = await scene({ wrap }).run("flip", { to: "candidate" });
    expect(outcome).toMatchObject({ kind: "failed", code: "unverified", message: expect.stringMatching(message) });
  });

  it("is not done when the index carries no stamp, for nobody can tell then what readers meet", async () => {
    const { run, store } = scene({ green: { stamp: null } });
    expect(await run("flip", { to: "candidate" })).toMatchObject({ kind: "failed", code: "unverified" });
    expect(store.aliases.get("live")?.index).toBe("v2");
  });

  it("is refused, and nothing is moved, when somebody else moved the name or the epoch is too low", async () => {
    const { run, store } = scene();
    store.aliases.set("live", { index: "v0", epoch: 1, previous: null });
    expect(await run("flip", { to: "candidate" })).toMatchObject({ kind: "failed", code: "refused" });
    store.aliases.set("live", { index: "v1", epoch: 9, previous: "v2" });
    const late = await run("flip", { to: "candidate" }, 8);
    expect(late).toMatchObject({ code: "refused", message: expect.stringMatching(/epoch 8 is over/) });
    expect(store.aliases.get("live")).toEqual({ index: "v1", epoch: 9, previous: "v2" });
  });

  it("is tried again when the answer to the flip was lost, and recognises its own", async () => {
    let lost = 2;
    const losing = (right: IndexAliases) => ({
      async flip(flip: Parameters<IndexAliases["flip"]>[0], signal: AbortSignal) {
        const result = await right.flip(flip, signal);
        if (lost-- > 0) throw new DriverError("unreachable", "safe", "the answer was lost");
        return result;
      },
    });
    const { run, store } = scene({ wrap: losing });
    expect(await run("flip", { to: "candidate" })).toMatchObject({ kind: "done" });
    expect([lost, store.aliases.get("live")?.previous]).toEqual([-1, "v1"]);
  });

  it("is a bug of ours without an epoch, with an arm that is none, or under a plan without an index", async () => {
    const { run, store } = scene();
    await expect(run("flip", { to: "nobody" })).rejects.toThrow(/says nothing that index.flip takes/);
    await expect(run("flip", { to: "candidate" }, null)).rejects.toThrow(/carries no epoch/);
    await expect(scene({ plan: null }).run("flip", { to: "candidate" })).rejects.toThrow(/names no index/);
    await expect(scene({ plan: null }).run("check", { arm: "stable" })).rejects.toThrow(/names no index/);
    expect(store.aliases.get("live")?.index).toBe("v1");
  });
});
