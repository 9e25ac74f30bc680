import { describe, expect, it } from "vitest";
import { carryOut, executorsOf } from "../../src/controller/orders/carry-out.ts";
import { comparing } from "../../src/controller/orders/health.ts";
import { type Cutover, type CutoverEvent, cutoverMachine, servesNow } from "../../src/core/cutover/machine.ts";
import type { CutoverPlan } from "../../src/core/cutover/plan.ts";
import type { Order } from "../../src/core/process/order.ts";
import { BP_NONE } from "../../src/core/unit.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { aGate, aPlan } from "../builders.ts";
import { CutoverWorld, ID, type Story } from "./cutover-world.ts";

const TERMS: CutoverPlan["cutover"] = {
  index: null,
  queue: null,
  cache: null,
  freezeMs: 20_000,
  holdMs: 4_000,
  stepWithinMs: 10_000,
  fromEpoch: 0,
};
const plan = (terms: Partial<CutoverPlan["cutover"]> = {}): CutoverPlan => ({
  ...aPlan({ gates: [aGate("parity")], driver: "memory", stages: [] }),
  cutover: { ...TERMS, ...terms },
});

const STEPS = ["compare-identity", "freeze-writes", "flip-traffic", "move-effects", "unfreeze", "audit"] as const;
const STORIES: readonly Story[] = [
  { name: "a cutover that goes through", ends: "done" },
  { name: "a cutover to another metric than stable's", metricOfCandidate: "l2", ends: "returned" },
  { name: "a cutover that is aborted while it is held", abortsAt: "holding", ends: "returned" },
  { name: "a cutover that is taken back after its end", abortsAt: "done", ends: "returned" },
  ...STEPS.map((step): Story => ({ name: `a cutover that is aborted at ${step}`, abortsAt: step, ends: "returned" })),
];

/** Fully on one arm by what is served, by what the state says, by its journal, and by who acted. */
async function check(story: Story, world: CutoverWorld, deaths: readonly number[]): Promise<void> {
  const told = `${story.name}, deaths at ${deaths.join(", ")}`;
  const state = (await world.stored()) as Cutover;
  expect([told, state.saga.phase, state.saga.cause?.text.includes("could not") ?? false]).toEqual([
    told,
    story.ends,
    false,
  ]);
  const arm = story.ends === "done" ? "candidate" : "stable";
  expect([told, servesNow(state)]).toEqual([told, arm]);
  const served = world.traffic.served.get("support-rag");
  if (served !== undefined) {
    expect([told, served.arms.stable.releaseId]).toEqual([told, state.plan.arms[arm].releaseId]);
    expect([told, served.candidateBp]).toEqual([told, 0]);
  }
  const entries = await world.store.processJournal(ID);
  const ids = entries.flatMap(({ orders }) => orders.map(({ id }) => id));
  expect([told, ids]).toEqual([told, ids.map((_, index) => `${ID}/1/${index}`)]);
  const folded = entries.reduce(
    (before, { event }) => cutoverMachine.step(before, event as unknown as CutoverEvent).state,
    cutoverMachine.start(state.plan),
  );
  expect([told, plain(folded)]).toEqual([told, plain(state)]);
  expect([told, world.workers.overlaps]).toEqual([told, 0]);
  const { writes } = world.workers;
  if (served !== undefined) expect([told, writes.at(-1)?.release]).toEqual([told, state.plan.arms[arm].releaseId]);
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("a cutover whose process dies at any point", () => {
  it.each(STORIES.map((story) => [story.name, story] as const))(
    "ends fully on one arm with one owner of effects, and its state is what its journal folds to: %s",
    async (_, story) => {
      const live = (deaths: readonly number[]) => new CutoverWorld(story, plan(), deaths).live();
      const whole = await live([]);
      await check(story, whole, []);
      const { passed } = whole.life;
      expect(passed).toBeGreaterThan(3);
      for (let first = 1; first <= passed; first++) await check(story, await live([first]), [first]);
      for (let first = 1; first <= passed; first += 3)
        for (let second = 1; second <= 5; second += 2) await check(story, await live([first, second]), [first, second]);
    },
  );
});

describe("an order that nobody here carries out", () => {
  it("is told as a bug of ours in words: what was found, what is known, what it may be", async () => {
    const order: Order = { id: "c-1/1/0", port: "index", verb: "swap", args: {}, withinMs: 1 };
    const by = { plan: plan(), pinned: null, candidateBp: BP_NONE };
    const clock = manualClock();
    const executors = executorsOf([
      comparing({ clock, health: { read: () => Promise.reject(new Error("not asked")) } }),
    ]);
    await expect(carryOut(order, by, executors, clock, new AbortController().signal)).rejects.toThrow(
      "nobody here carries out index.swap (c-1/1/0); known: health.compare. Either a machine asks for what has no executor, or its state is of another version of this program",
    );
  });

  it("or that says nothing its executor takes, is refused before anything is asked for", async () => {
    const order: Order = { id: "c-1/1/0", port: "health", verb: "compare", args: { arm: "blue" }, withinMs: 1 };
    const by = { plan: plan(), pinned: null, candidateBp: BP_NONE };
    const clock = manualClock();
    let asked = 0;
    const health = { read: () => Promise.reject(new Error(`asked ${++asked} times`)) };
    const run = carryOut(order, by, executorsOf([comparing({ clock, health })]), clock, new AbortController().signal);
    await expect(run).rejects.toThrow("c-1/1/0 says nothing that health.compare takes");
    expect(asked).toBe(0);
  });
});
