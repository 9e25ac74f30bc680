import { Cutovers } from "../../src/controller/cutovers.ts";
import { DocumentLedger } from "../../src/controller/document-ledger.ts";
import { EventFeed } from "../../src/controller/event-feed.ts";
import { GrantDesk } from "../../src/controller/grant-desk.ts";
import { NO_RESOURCES, type Resources } from "../../src/controller/resources.ts";
import { ServicePointers } from "../../src/controller/service-pointers.ts";
import type { Cutover } from "../../src/core/cutover/machine.ts";
import type { ServingArm } from "../../src/core/arm.ts";
import type { Manifest } from "../../src/core/release/manifest.ts";
import type { CutoverPlan } from "../../src/core/cutover/plan.ts";
import type { TrafficDriver } from "../../src/ports/traffic.ts";
import type { Change, ControllerStore } from "../../src/ports/controller-store.ts";
import { memoryStore } from "../../src/drivers/store/memory/index.ts";
import { memoryTraffic } from "../../src/drivers/traffic/memory/index.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { Crash, Life } from "./life.ts";
import { FakeWorkers } from "./cutover-workers.ts";
import { aManifest } from "./world.ts";

export interface Story {
  readonly name: string;
  /** A person ends it as soon as this step is in force, or it is in this phase. */
  readonly abortsAt?: string;
  readonly metricOfCandidate?: string;
  readonly ends: "done" | "returned";
}

/** How long the data plane takes to say that it serves what it was given. */
const SLOW_MS = 500;
export const ID = "support-rag-7";
const MOMENT_MS = 200;

/**
 * A cutover in virtual time: the product's own actor, machine, executors, ledger, pointers and grants over a store and a
 * data plane in memory, and two workers of each arm that ask for leave. The process dies where it is told to, and
 * another one goes on with what is stored.
 */
export class CutoverWorld {
  readonly clock = manualClock();
  readonly store = memoryStore();
  readonly traffic = memoryTraffic();
  readonly lives: Life[] = [];
  readonly workers: FakeWorkers;
  readonly #story: Story;
  readonly #deaths: readonly number[];
  readonly plan: CutoverPlan;
  /** What is cut over beside traffic. */
  resources: Resources = NO_RESOURCES;
  /** What each arm says of itself, beyond what a release of these tests says. */
  manifests: Readonly<Partial<Record<ServingArm, Partial<Manifest>>>> = {};
  #servedAtMonoMs = 0;
  #isAbortDue = false;
  #cutovers: Cutovers | null = null;

  constructor(story: Story, plan: CutoverPlan, deaths: readonly number[] = []) {
    this.#story = story;
    this.plan = plan;
    this.#deaths = deaths;
    this.workers = new FakeWorkers(this.clock);
  }

  get life(): Life {
    return this.lives.at(-1) as Life;
  }

  get cutovers(): Cutovers {
    return this.#cutovers as Cutovers;
  }

  /** What is stored of it; null before it is accepted. */
  async stored(): Promise<Cutover | null> {
    const [process] = await this.store.processes();
    return process === undefined ? null : (process.state as unknown as Cutover);
  }

  /** A process begins: what is stored goes on, and what was never accepted is asked for again. */
  async begin(): Promise<void> {
    await this.#cutovers?.stop();
    const dieAt = this.#deaths[this.lives.length];
    const life = new Life((_, passed) => passed === dieAt);
    this.lives.push(life);
    const store: ControllerStore = {
      ...this.store,
      commit: (change: Change) =>
        life.commit(change, async () => {
          const isStored = await this.store.commit(change);
          if (isStored) this.#look(change);
          return isStored;
        }),
    };
    const pointers = new ServicePointers(store);
    await pointers.load();
    const ledger = new DocumentLedger(store, this.clock, pointers, { store: "s-1", highestEpoch: () => 0 }, null);
    await ledger.load();
    const pointerOf = (service: string) => pointers.of(service);
    const { clock } = this;
    const ownership = { canPromise: true, leasesFromMonoMs: clock.monoMs(), epochFloor: 0 };
    const grants = await GrantDesk.open({ store, clock, pointerOf, ownership });
    this.#cutovers = new Cutovers({
      store,
      clock,
      ledger,
      pointers,
      grants,
      traffic: { memory: this.#slowTraffic(life) },
      health: { read: (url) => this.#health(url, life) },
      probes: { run: () => Promise.reject(new Error("not asked")), smoke: () => Promise.resolve(null) },
      feed: new EventFeed(0),
      resources: this.resources,
      rollouts: () => [],
      log: () => {},
      onFatal: () => {},
    });
    await this.#cutovers.load().catch(ignoreCrash);
    const around = {
      fit: () => Promise.resolve({ kind: "settled", plan: this.plan } as const),
    };
    if (this.#cutovers.of(ID) === null) await this.#cutovers.apply(this.plan, around).catch(ignoreCrash);
  }

  /** A fifth of a second; a person who means to abort asks until it is so. */
  async moment(): Promise<void> {
    await this.clock.advance(MOMENT_MS);
    if (this.life.isDead) return this.begin();
    this.cutovers.tick();
    await this.clock.advance(0);
    await this.workers.ask((asker) => this.cutovers.grants.ask(this.plan.service, asker));
    await this.#abortIfDue();
  }

  /** Asked for as soon as its time has come, and again until it is so. */
  async #abortIfDue(): Promise<void> {
    if (this.#isAbortDue) await this.cutovers.goBack(ID, { by: "ann", reason: "" }).catch(ignoreCrash);
  }

  #look({ process }: Change): void {
    const state = process?.next.state as unknown as Cutover | undefined;
    const step = state?.saga.plan.steps[state.saga.at]?.name;
    const { abortsAt } = this.#story;
    if (abortsAt === undefined || this.#isAbortDue || (step !== abortsAt && state?.saga.phase !== abortsAt)) return;
    this.#isAbortDue = true;
    queueMicrotask(() => void this.#abortIfDue());
  }

  /** Until it is over, and then as long as a leave lasts. */
  async live(): Promise<this> {
    await this.begin();
    const final = this.#story.abortsAt === undefined ? ["done", "returned", "stuck"] : ["returned", "stuck"];
    const isOver = () => final.includes(this.cutovers.of(ID)?.saga.phase ?? "");
    for (let moment = 0; moment < 600 && (this.life.isDead || !isOver()); moment++) await this.moment();
    for (let moment = 0; moment < 60; moment++) await this.moment();
    return this;
  }

  #slowTraffic(life: Life): TrafficDriver {
    return {
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
  }

  #health(url: string, life: Life) {
    life.pass("after-health");
    const arm = url.includes("4002") ? "candidate" : "stable";
    const METRIC = arm === "candidate" ? (this.#story.metricOfCandidate ?? "cosine") : "cosine";
    return Promise.resolve({ kind: "read", manifest: aManifest({ METRIC, ...this.manifests[arm] }) } as const);
  }
}

function ignoreCrash(error: unknown): void {
  if (!(error instanceof Crash)) throw error;
}
