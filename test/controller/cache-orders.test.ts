import { describe, expect, it } from "vitest";
import type { ServingArm } from "../../src/core/arm.ts";
import { BP_NONE, epochMs } from "../../src/core/unit.ts";
import type { ArmPlan } from "../../src/core/stage/plan.ts";
import { type CacheCutover, cacheOrders, type CacheTools } from "../../src/controller/orders/cache.ts";
import { carryOut, executorsOf } from "../../src/controller/orders/carry-out.ts";
import { clockBySleep } from "../../src/ports/clock.ts";
import type { CacheDriver, CachedEntry } from "../../src/ports/cache.ts";
import { never } from "../../src/testing/queue-world.ts";

const arm = (releaseId: string): ArmPlan => ({
  releaseId,
  endpoints: ["http://127.0.0.1:1"],
  cachePrefix: "",
  healthUrl: null,
  answerUrl: "http://127.0.0.1:1/answer",
});

function planOf(purge: readonly string[], candidate = "green:"): CacheCutover {
  const place = { driver: "memory", url: "", secretFile: null };
  const namespace = { stable: "blue:", candidate };
  return {
    arms: { stable: arm("rel-1"), candidate: arm("rel-2") },
    probes: null,
    cutover: { cache: { ...place, namespace, purge } },
  };
}

/** A fake of a cache, in virtual time; `deaf` removes only after so many reads, as a network of edges does. */
class CacheStory {
  readonly entries = new Map<string, CachedEntry>();
  readonly asked: { readonly question: string; readonly atMs: number }[] = [];
  deaf = 0;
  /** What an arm does with a question: by default it caches under the namespace it was told. */
  answer: (question: string, namespace: string) => Promise<void> = async (question, namespace) => {
    this.entries.set(`${namespace}${question}`, { writtenBy: "rel-2", question });
  };
  nowMs = 0;
  #pending: string[] = [];

  readonly clock = clockBySleep({
    wallMs: () => epochMs(this.nowMs),
    monoMs: () => this.nowMs,
    sleep: async (ms) => {
      this.nowMs += ms;
    },
  });

  fill(namespace: string, count: number): void {
    for (let index = 0; index < count; index++)
      this.entries.set(`${namespace}q${index}`, { writtenBy: "rel-1", question: `q${index}` });
  }

  order(verb: string, of: ServingArm, purge: readonly string[] = [], withinMs = 120_000, plan = planOf(purge)) {
    const order = { id: "c-1/1/1", port: "cache", verb, args: { arm: of }, epoch: 1, withinMs };
    const tools: CacheTools = {
      clock: this.clock,
      openCache: async () => this.#driver(),
      askWarm: async (_, { namespace }, question) => {
        this.asked.push({ question, atMs: this.nowMs });
        await this.answer(question, namespace);
      },
    };
    const by = { plan, pinned: null, candidateBp: BP_NONE };
    return carryOut(order, by, executorsOf(cacheOrders<CacheCutover>(tools)), this.clock, never);
  }

  #driver(): CacheDriver {
    const under = (namespace: string) => [...this.entries.keys()].filter((key) => key.startsWith(namespace));
    const look = () => {
      if (this.deaf-- <= 0) for (const key of this.#pending.splice(0)) this.entries.delete(key);
    };
    return {
      name: "cache/memory",
      can: { purgeNamespace: true, list: true, immediate: false },
      purge: async (namespace, keys) => {
        this.#pending = keys === null ? under(namespace) : keys.map((key) => namespace + key);
        return null;
      },
      read: async (namespace, key) => {
        look();
        return this.entries.get(namespace + key) ?? null;
      },
      topKeys: async (namespace, limit) => {
        look();
        return under(namespace)
          .slice(0, limit)
          .map((key) => key.slice(namespace.length));
      },
      close: async () => {},
    };
  }
}

const DONE = { kind: "done", verdicts: [] };

describe("cache.purge", () => {
  it("is done when reading finds none of the keys, and leaves what is not named and the other arm's", async () => {
    const story = new CacheStory();
    story.fill("blue:", 3);
    story.fill("green:", 3);
    story.deaf = 4;
    expect(await story.order("purge", "stable", ["q0", "q1"])).toEqual(DONE);
    expect([...story.entries.keys()]).toEqual(["blue:q2", "green:q0", "green:q1", "green:q2"]);
    expect(story.nowMs).toBeGreaterThan(0);
  });

  it("removes all of a candidate that was taken back, whichever keys the plan names, and none of stable", async () => {
    const story = new CacheStory();
    story.fill("blue:", 2);
    story.fill("green:", 5);
    expect(await story.order("purge", "candidate", ["q0"])).toEqual(DONE);
    expect([...story.entries.keys()]).toEqual(["blue:q0", "blue:q1"]);
  });

  it("touches nothing where one arm's namespace lies inside the other's", async () => {
    const story = new CacheStory();
    story.fill("blue:", 3);
    const outcome = await story.order("purge", "candidate", [], 1_000, planOf([], "blue:next:"));
    expect(outcome).toMatchObject({
      kind: "failed",
      code: "rejected",
      message: expect.stringContaining("lies inside"),
    });
    expect(story.entries.size).toBe(3);
  });

  it("is not done while one entry is still read, and names it", async () => {
    const story = new CacheStory();
    story.fill("blue:", 2);
    story.deaf = Number.POSITIVE_INFINITY;
    const outcome = await story.order("purge", "stable", ["q1"], 1_000);
    expect(outcome).toMatchObject({
      kind: "failed",
      code: "unverified",
      message: expect.stringContaining('"blue:q1"'),
    });
  });
});

describe("cache.prime", () => {
  it("asks the questions that the other arm cached, each once, at most 1 000 and no faster than one in 50 ms", async () => {
    const story = new CacheStory();
    story.fill("blue:", 1_200);
    story.entries.set("blue:again", { writtenBy: "rel-1", question: "q7" });
    expect(await story.order("prime", "candidate")).toEqual(DONE);
    expect(story.asked.length).toBe(1_000);
    expect(new Set(story.asked.map(({ question }) => question)).size).toBe(1_000);
    const gaps = story.asked.slice(1).map(({ atMs }, place) => atMs - (story.asked[place]?.atMs ?? 0));
    expect(Math.min(...gaps)).toBe(50);
  });

  it("asks nothing again that a try before it has cached", async () => {
    const story = new CacheStory();
    story.fill("blue:", 20);
    for (const question of ["q0", "q1", "q2"]) await story.answer(question, "green:");
    expect(await story.order("prime", "candidate")).toEqual(DONE);
    expect(story.asked.map(({ question }) => question)).not.toContain("q1");
    expect(story.asked).toHaveLength(17);
  });

  it("is not done when the arm caches under another namespace, or fails most questions", async () => {
    for (const answer of [async () => {}, async () => Promise.reject(new Error("503"))]) {
      const story = new CacheStory();
      story.fill("blue:", 10);
      story.answer = answer;
      const outcome = await story.order("prime", "candidate");
      expect(outcome).toMatchObject({
        kind: "failed",
        code: "unverified",
        message: expect.stringContaining("0 of 10"),
      });
    }
  });

  it("fails as poisoned when an answer under the arm's namespace was written by the other arm", async () => {
    const story = new CacheStory();
    story.fill("blue:", 10);
    story.answer = async (question, namespace) => {
      story.entries.set(namespace + question, { writtenBy: question === "q4" ? "rel-1" : "rel-2", question });
    };
    const outcome = await story.order("prime", "candidate");
    expect(outcome).toMatchObject({ kind: "failed", code: "poisoned", message: expect.stringContaining('"q4"') });
  });

  it("waits for no answer past its budget, and has no more than eight questions under way", async () => {
    const story = new CacheStory();
    story.fill("blue:", 100);
    let atOnce = 0;
    story.answer = () => {
      atOnce++;
      return new Promise(() => {});
    };
    expect(await story.order("prime", "candidate", [], 10_000)).toMatchObject({ kind: "failed", code: "unverified" });
    expect(atOnce).toBeLessThanOrEqual(8);
    expect(story.nowMs).toBeLessThan(11_000);
  });

  it("is done at once where nothing is cached that could be asked again", async () => {
    const story = new CacheStory();
    story.entries.set("blue:hash", { writtenBy: "rel-1", question: null });
    expect(await story.order("prime", "candidate")).toEqual(DONE);
    expect(story.asked).toEqual([]);
  });
});
