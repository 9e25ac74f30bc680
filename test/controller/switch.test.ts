import { describe, expect, it } from "vitest";
import { carryOut, executorsOf } from "../../src/controller/orders/carry-out.ts";
import { OrderDesk } from "../../src/controller/orders/desk.ts";
import type { Outcome } from "../../src/controller/orders/executor.ts";
import { comparing } from "../../src/controller/orders/health.ts";
import { publishing } from "../../src/controller/orders/traffic.ts";
import { DocumentLedger } from "../../src/controller/document-ledger.ts";
import { ServicePointers } from "../../src/controller/service-pointers.ts";
import { type Order, orderName } from "../../src/core/process/order.ts";
import type { SagaEvent } from "../../src/core/process/saga.ts";
import { servesNow, type Switch, type SwitchPlan, switchMachine } from "../../src/core/switch/machine.ts";
import { BP_NONE, epochMs } from "../../src/core/unit.ts";
import { memoryStore } from "../../src/drivers/store/memory/index.ts";
import { memoryTraffic } from "../../src/drivers/traffic/memory/index.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { aGate, aPlan } from "../builders.ts";
import { Crash, Life } from "./life.ts";
import { aManifest } from "./world.ts";

const plan = (): SwitchPlan => ({
  ...aPlan({ gates: [aGate("parity")], driver: "memory" }),
  holdMs: 2_000,
  stepWithinMs: 3_000,
});

interface Story {
  readonly name: string;
  /** A person ends it as soon as it is in one of these phases. */
  readonly abortsIn?: readonly string[];
  readonly metricOfCandidate?: string;
  readonly ends: "done" | "returned";
}

const STORIES: readonly Story[] = [
  { name: "a switch that goes through", ends: "done" },
  { name: "a switch that is aborted while it is held", abortsIn: ["holding"], ends: "returned" },
  { name: "a switch that is aborted while users move", abortsIn: ["applying"], ends: "returned" },
  { name: "a switch to another metric than stable's", metricOfCandidate: "l2", ends: "returned" },
];

/** How long the data plane takes to say that it serves what it was given. */
const SLOW_MS = 500;

/** What a process leaves behind: text, as a disk holds it. */
class Disk {
  state = "";
  readonly journal: string[] = [];
}

/**
 * A host of one switch, in as few lines as a host can have: it commits state and entry together, then begins the
 * orders. It stands in for the controller's actor, which carries out rollouts alone so far; executors, desk, ledger and
 * pointers are the real ones.
 */
class World {
  readonly clock = manualClock();
  readonly disk = new Disk();
  readonly store = memoryStore();
  readonly traffic = memoryTraffic();
  readonly lives: Life[] = [];
  readonly #story: Story;
  readonly #deaths: readonly number[];
  #servedAtMonoMs = 0;
  #desk: OrderDesk<SwitchPlan> | null = null;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(story: Story, deaths: readonly number[]) {
    this.#story = story;
    this.#deaths = deaths;
    this.disk.state = JSON.stringify(switchMachine.start(plan()));
  }

  get state(): Switch {
    return JSON.parse(this.disk.state) as Switch;
  }

  get life(): Life {
    return this.lives.at(-1) as Life;
  }

  /** A process begins: what is on the disk goes on. */
  async begin(): Promise<void> {
    this.#desk?.close();
    const dieAt = this.#deaths[this.lives.length];
    const life = new Life((_, passed) => passed === dieAt);
    this.lives.push(life);
    const store = {
      ...this.store,
      commit: (change: Parameters<typeof this.store.commit>[0]) => life.commit(change, () => this.store.commit(change)),
    };
    const pointers = new ServicePointers(store);
    await pointers.load();
    const ledger = new DocumentLedger(store, this.clock, pointers, { store: "s-1", highestEpoch: () => 0 }, null);
    await ledger.load();
    const traffic: typeof this.traffic = {
      ...this.traffic,
      apply: async (document, signal) => {
        life.pass("before-apply");
        await this.traffic.apply(document, signal);
        this.#servedAtMonoMs = this.clock.monoMs();
        life.pass("after-apply");
      },
      confirm: async (document, direction, signal) => {
        const found = await this.traffic.confirm(document, direction, signal);
        const isSeen = this.clock.monoMs() >= this.#servedAtMonoMs + SLOW_MS;
        if (isSeen) life.pass("after-read-back");
        return { ...found, isConfirmed: found.isConfirmed && isSeen };
      },
    };
    const health = {
      read: (url: string) => {
        life.pass("after-health");
        const METRIC = url.includes("4002") ? (this.#story.metricOfCandidate ?? "cosine") : "cosine";
        return Promise.resolve({ kind: "read", manifest: aManifest({ METRIC }) } as const);
      },
    };
    const tools = { ledger, pointers, traffic: { memory: traffic }, clock: this.clock, health };
    this.#desk = new OrderDesk<SwitchPlan>({
      executors: executorsOf<SwitchPlan>([publishing(tools), comparing(tools)]),
      clock: this.clock,
      log: () => {},
      tell: () => {},
      take: (order, outcome) => this.take(eventOf(order, outcome, this.clock.wallMs()), life),
    });
    for (const order of this.state.saga.awaiting) this.#carryOut(order);
    if (this.state.saga.phase === "pending")
      await this.take({ kind: "started", at: epochMs(this.clock.wallMs()) }, life).catch(ignoreCrash);
  }

  /** One decision: nothing begins before it is durable. */
  take(event: SagaEvent, life: Life = this.life): Promise<void> {
    const done = this.#queue.then(() => {
      if (life !== this.life || life.isDead) throw new Crash("a dead process decides nothing");
      const before = this.state;
      const { state, orders } = switchMachine.step(before, event);
      expect(switchMachine.broken(state)).toEqual([]);
      if (state === before) return;
      life.pass("before-commit");
      this.disk.state = JSON.stringify(state);
      this.disk.journal.push(JSON.stringify({ event, orders }));
      life.pass("after-commit");
      this.#desk?.keepOnly(state.saga.awaiting);
      for (const order of orders) this.#carryOut(order);
    });
    this.#queue = done.catch(() => {});
    return done;
  }

  #carryOut(order: Order): void {
    this.#desk?.begin(order, { plan: this.state.plan, pinned: null, candidateBp: BP_NONE });
  }

  /** A fifth of a second; a person who means to abort asks until it is so. */
  async moment(): Promise<void> {
    await this.clock.advance(200);
    if (this.life.isDead) return this.begin();
    const at = epochMs(this.clock.wallMs());
    await this.take({ kind: "tick", at }).catch(ignoreCrash);
    const { phase, at: place } = this.state.saga;
    if (this.#story.abortsIn?.includes(phase) !== true || place === 0) return;
    await this.take({ kind: "aborted", at, by: "ann", reason: "" }).catch(ignoreCrash);
  }
}

function ignoreCrash(error: unknown): void {
  if (!(error instanceof Crash)) throw error;
}

function eventOf(order: Order, outcome: Outcome, wallMs: number): SagaEvent {
  const of = { at: epochMs(wallMs), orderId: order.id, order: orderName(order) };
  if (outcome.kind === "done") return { kind: "order-done", ...of, verdicts: outcome.verdicts };
  return { kind: "order-failed", ...of, code: outcome.code, message: outcome.message };
}

async function live(story: Story, deaths: readonly number[]): Promise<World> {
  const world = new World(story, deaths);
  await world.begin();
  for (let moment = 0; moment < 200 && !switchMachine.isFinal(world.state); moment++) await world.moment();
  return world;
}

/** Fully on one arm, by what the data plane serves, what the state says and what its journal folds to. */
function check(story: Story, deaths: readonly number[], world: World): void {
  const told = `${story.name}, deaths at ${deaths.join(", ")}`;
  const { state } = world;
  expect([told, state.saga.phase]).toEqual([told, story.ends]);
  const served = world.traffic.served.get("support-rag");
  const arm = story.ends === "done" ? "candidate" : "stable";
  expect([told, servesNow(state)]).toEqual([told, arm]);
  const wasMoved = served !== undefined;
  if (wasMoved) expect([told, served.arms.stable.releaseId]).toEqual([told, state.plan.arms[arm].releaseId]);
  if (wasMoved) expect([told, served.candidateBp]).toEqual([told, 0]);
  if (wasMoved && arm === "stable") expect([told, served.closed]).toEqual([told, ["candidate"]]);
  const entries = world.disk.journal.map((line) => JSON.parse(line) as { event: SagaEvent; orders: Order[] });
  const ids = entries.flatMap(({ orders }) => orders.map(({ id }) => id));
  expect([told, ids]).toEqual([told, ids.map((_, index) => `support-rag-7/1/${index}`)]);
  const folded = entries.reduce((before, { event }) => switchMachine.step(before, event).state, state0());
  expect([told, JSON.parse(JSON.stringify(folded))]).toEqual([told, state]);
}

const state0 = (): Switch => JSON.parse(JSON.stringify(switchMachine.start(plan()))) as Switch;

describe("a switch whose process dies at any point", () => {
  it.each(STORIES.map((story) => [story.name, story] as const))(
    "ends fully on one arm, and its state is what its journal folds to: %s",
    async (_, story) => {
      const whole = await live(story, []);
      check(story, [], whole);
      const { passed } = whole.life;
      expect(passed).toBeGreaterThan(3);
      for (let first = 1; first <= passed; first++) check(story, [first], await live(story, [first]));
      for (let first = 1; first <= passed; first++)
        for (let second = 1; second <= 6; second++) check(story, [first, second], await live(story, [first, second]));
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
