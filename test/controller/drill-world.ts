import { DocumentLedger } from "../../src/controller/document-ledger.ts";
import { Drills } from "../../src/controller/drills.ts";
import { EventFeed } from "../../src/controller/event-feed.ts";
import { GrantDesk } from "../../src/controller/grant-desk.ts";
import { RegionTraffic } from "../../src/controller/region-traffic.ts";
import { NO_RESOURCES } from "../../src/controller/resources.ts";
import { ServicePointers } from "../../src/controller/service-pointers.ts";
import type { Drill } from "../../src/core/drill/machine.ts";
import type { Fault } from "../../src/core/drill/fault.ts";
import { drillMachine, drillStepName, phaseOf } from "../../src/core/drill/machine.ts";
import type { DrillPlan } from "../../src/core/drill/plan.ts";
import type { RoutingDocument } from "../../src/core/routing/document.ts";
import { regionView } from "../../src/core/routing/regions.ts";
import { LatencySketch } from "../../src/core/window/sketch.ts";
import type { Change, ControllerStore } from "../../src/ports/controller-store.ts";
import type { TrafficDriver } from "../../src/ports/traffic.ts";
import { leasedAgent } from "../../src/lab/fault/leased-agent.ts";
import type { FaultAgent } from "../../src/ports/fault-agent.ts";
import { memoryStore } from "../../src/drivers/store/memory/index.ts";
import { memoryTraffic } from "../../src/drivers/traffic/memory/index.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { aDocument } from "../documents.ts";
import { Crash, Life } from "./life.ts";
import { aManifest } from "./world.ts";

export interface DrillStory {
  readonly name: string;
  /** A person ends it as soon as this step is in force. */
  readonly abortsAt?: string;
  /** From this step on, a region is not ready, or states another index. */
  readonly failsAt?: { readonly step: string; readonly region: string; readonly how: "unready" | "skewed" };
  readonly ends: ReturnType<typeof phaseOf>;
}

/** How long the data planes take to say that they serve what they were given. */
const SLOW_MS = 500;
const MOMENT_MS = 200;
const LEAVE_MS = 5_000;
/** What this world says of one region is one field of the contract. */
const OTHER_HASH = "skewed";

/** How a world differs from one in which a controller is followed by another at once. */
export interface DrillCircumstances {
  /** For how long nobody owns the store after a death. */
  readonly absenceMs?: number;
  /** Region that an earlier drill promoted: one alone acts from the first moment on. */
  readonly writesIn?: string;
}

/** One death, and how long after it was taken up one region acted alone, with nothing frozen; null: not yet. */
interface Death {
  readonly step: string | null;
  readonly takenUpAtMs: number;
  safeAfterMs: number | null;
}

interface Worker {
  readonly region: string;
  asksAtMonoMs: number;
  untilMonoMs: number;
  token: number;
}

/**
 * A drill in virtual time: the product's own actor, machine, executors, ledger and grants over a store and data planes in
 * memory, and a worker in each region that asks for leave. The process dies where it is told to, and another one goes on.
 */
export class DrillWorld {
  readonly clock = manualClock();
  readonly store = memoryStore();
  readonly traffic = memoryTraffic();
  readonly plan: DrillPlan;
  /** Moments at which workers of two regions had a leave at once. */
  overlaps = 0;
  rebuilt = 0;
  /** What the region was broken by, each change of it; null: whole again. */
  readonly broken: { readonly atMs: number; readonly kind: Fault["kind"] | null }[] = [];
  readonly #breakable = {
    kinds: ["brownout", "blackhole", "skew", "reroute"] as const,
    fault: null as Fault | null,
    set: (fault: Fault | null) => {
      this.#breakable.fault = fault;
      this.broken.push({ atMs: this.clock.monoMs(), kind: fault?.kind ?? null });
    },
  };
  readonly #agent = leasedAgent(this.#breakable, this.clock);
  readonly taken: Death[] = [];
  /** Of the first life: which of its points were a boundary of the journal. */
  readonly boundaries: number[] = [];
  /** Moments at which a leave ran that nobody can have promised. */
  readonly unpromised: number[] = [];
  /** Region that users who arrive in the evacuated one met, each change of it. */
  readonly met: { readonly atMs: number; readonly own: number }[] = [];
  readonly #story: DrillStory;
  readonly #deaths: readonly number[];
  readonly #circumstances: DrillCircumstances;
  readonly #lives: Life[] = [];
  readonly #workers: readonly Worker[];
  #drills: Drills | null = null;
  #grants: GrantDesk | null = null;
  #isAbortDue = false;
  #isAborted = false;
  #hasFailed = false;
  #servedAtMonoMs = 0;
  #step: string | null = null;
  #diedAtMonoMs: number | null = null;

  constructor(
    story: DrillStory,
    plan: DrillPlan,
    deaths: readonly number[] = [],
    circumstances: DrillCircumstances = {},
  ) {
    this.#circumstances = circumstances;
    this.#story = story;
    this.plan = plan;
    this.#deaths = deaths;
    this.#workers = plan.regions.map(({ name }, place) => {
      return { region: name, asksAtMonoMs: place * 300, untilMonoMs: 0, token: 0 };
    });
  }

  get life(): Life {
    return this.#lives.at(-1) as Life;
  }

  get drills(): Drills {
    return this.#drills as Drills;
  }

  async stored(): Promise<Drill> {
    const [process] = await this.store.processes();
    return process?.state as unknown as Drill;
  }

  async begin(): Promise<void> {
    await this.#drills?.stop();
    const dieAt = this.#deaths[this.#lives.length];
    const isFirst = this.#lives.length === 0;
    const life = new Life((point, passed) => {
      const isBoundary = point.endsWith("commit") || point.endsWith("publish");
      if (isFirst && isBoundary && this.#drills !== null) this.boundaries.push(passed);
      return passed === dieAt;
    });
    this.#lives.push(life);
    const store: ControllerStore = {
      ...this.store,
      commit: (change: Change) =>
        life.commit(change, async () => {
          const isStored = await this.store.commit(change);
          if (isStored) this.#look(change);
          return isStored;
        }),
    };
    if ((await this.store.published()).length === 0) {
      const document = aDocument({ version: 1, candidateBp: 0 as never, closed: ["candidate"] });
      await this.store.commit({ published: { expected: null, next: { document, orderId: "support-rag-7/1/0" } } });
      await this.traffic.apply(document, new AbortController().signal);
      await this.#promoteBefore();
    }
    const { clock } = this;
    const pointers = new ServicePointers(store);
    const ledger = new DocumentLedger(store, clock, pointers, { store: "s-1", highestEpoch: () => 0 }, null);
    await ledger.load();
    const ownership = { canPromise: true, leasesFromMonoMs: clock.monoMs(), epochFloor: 0 };
    const pointerOf = () => ({ arm: { releaseId: "r1" }, since: { process: "first", at: 0 } }) as never;
    this.#grants = await GrantDesk.open({ store, clock, pointerOf, ownership });
    this.#drills = new Drills(
      {
        store,
        clock,
        ledger,
        grants: this.#grants,
        traffic: { memory: this.#slowTraffic(life) },
        health: { read: (url) => this.#health(url, life) },
        resources: NO_RESOURCES,
        regionTraffic: this.#users(),
        regionProbe: null,
        askRebuild: () => {
          this.rebuilt++;
          return this.#agent.revert(this.plan.drillId + "/1", new AbortController().signal).then(() => {});
        },
        faultAgent: () => this.#reachable(life),
        regionsOf: (service) => ledger.current(service)?.regions ?? null,
        feed: new EventFeed(0),
        log: () => {},
        onFatal: () => {},
      },
      () => null,
    );
    await this.#drills.load().catch(ignoreCrash);
    if (this.#drills.of(this.plan.drillId) === null) await this.#drills.apply(this.plan, "bob").catch(ignoreCrash);
  }

  async moment(): Promise<void> {
    await this.clock.advance(MOMENT_MS);
    if (this.life.isDead) return this.#takeUp();
    this.drills.tick();
    await this.clock.advance(0);
    await this.#act();
    if (!this.#isAbortDue || this.#isAborted) return;
    const said = await this.drills.abort(this.plan.drillId, { by: "ann", reason: "" }).catch(ignoreCrash);
    this.#isAborted = said !== undefined && said.kind === "done";
  }

  /** Nobody owns the store for a while, and leaves that were given run on; then another controller goes on. */
  async #takeUp(): Promise<void> {
    const nowMs = this.clock.monoMs();
    if (this.#diedAtMonoMs === null) {
      this.#diedAtMonoMs = nowMs;
      this.#grants = null;
      await this.#drills?.stop();
    }
    if (nowMs < this.#diedAtMonoMs + (this.#circumstances.absenceMs ?? 0)) return this.#act();
    this.#diedAtMonoMs = null;
    this.taken.push({ step: this.#step, takenUpAtMs: nowMs, safeAfterMs: null });
    await this.begin();
  }

  async #promoteBefore(): Promise<void> {
    const { writesIn } = this.#circumstances;
    const { service } = this.plan;
    if (writesIn === undefined) return;
    const said = { holder: "r1", region: writesIn, token: 1, frozenUntil: null, process: "d-0", orderId: "d-0/1/0" };
    const at = this.clock.wallMs();
    const grant = { service, ...said, at, pointerEpoch: 0, isHandedOver: true, version: 1 };
    await this.store.commit({ grant });
  }

  /** Until it is over, and then as long as a leave lasts. */
  async live(): Promise<this> {
    await this.begin();
    const isOver = () => {
      const drill = this.drills.of(this.plan.drillId);
      return drill !== null && drillMachine.isFinal(drill);
    };
    for (let moment = 0; moment < 1_500 && (this.life.isDead || !isOver()); moment++) await this.moment();
    const afterMs = 8_000 + (this.#circumstances.absenceMs ?? 0);
    for (let moment = 0; moment < afterMs / MOMENT_MS; moment++) await this.moment();
    return this;
  }

  /** Share of its own users that the evacuated region serves, as the data planes were given it. */
  get own(): number {
    const served = this.traffic.served.get(this.plan.service);
    return served === undefined ? 10_000 : ownShare(served, this.plan.evacuate);
  }

  async #act(): Promise<void> {
    const nowMs = this.clock.monoMs();
    const { service } = this.plan;
    for (const worker of this.#workers) {
      if (nowMs < worker.asksAtMonoMs) continue;
      worker.asksAtMonoMs = nowMs + 1_000;
      const isActing = worker.untilMonoMs > nowMs;
      const { region } = worker;
      const asker = { release: "r1", region, worker: region, role: "producer", isActing, question: null } as const;
      const leave = await this.#grants?.ask(service, asker).catch(ignoreCrash);
      if (leave === undefined) continue; // Nothing was heard: the leave it has runs out.
      worker.untilMonoMs = leave.acts ? nowMs + Math.min(LEAVE_MS, leave.expiresInMs) : 0;
    }
    const acting = this.#workers.filter(({ untilMonoMs }) => untilMonoMs > nowMs);
    // Before the first promotion a service has no region that writes, and workers of all of them act.
    const writes = this.#circumstances.writesIn ?? this.#grants?.of(service)?.region ?? null;
    if (writes !== null && acting.length > 1) this.overlaps++;
    if (this.#diedAtMonoMs !== null && acting.length > 0 && nowMs > this.#diedAtMonoMs + LEAVE_MS + MOMENT_MS)
      this.unpromised.push(nowMs);
    const granted = this.#grants?.of(service)?.region;
    const death = this.taken.at(-1);
    const isOne = acting.length === 1 && acting[0]?.region === granted;
    if (death !== undefined && this.#diedAtMonoMs === null && isOne) death.safeAfterMs ??= nowMs - death.takenUpAtMs;
    const [last, { own }] = [this.met.at(-1), this];
    if (last?.own !== own) this.met.push({ atMs: nowMs, own });
  }

  #look({ process }: Change): void {
    const state = process?.next.state as unknown as Drill | undefined;
    if (state === undefined) return;
    const step = drillStepName(state);
    this.#step = step;
    if (step !== null && step === this.#story.abortsAt) this.#isAbortDue = true;
    if (step !== null && step === this.#story.failsAt?.step) this.#hasFailed = true;
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
        return { ...found, isConfirmed: found.isConfirmed && isSeen };
      },
    };
  }

  /** Users are told of by what they met: 200 warm answers of 100 ms, and what a brownout adds. */
  #users(): RegionTraffic {
    const traffic = new RegionTraffic();
    traffic.between = (_, region) => {
      const { fault } = this.#breakable;
      const slowMs = fault?.kind === "brownout" && region === this.plan.evacuate ? fault.delayMs : 0;
      const sketch = new LatencySketch();
      for (let answer = 0; answer < 200; answer++) sketch.record(100 + slowMs);
      return { requests: 200, failures: 0, classes: {}, warm: sketch.drain(), cold: [] };
    };
    return traffic;
  }

  /** Nobody hears of a renewal that a dead process sends. */
  #reachable(life: Life): FaultAgent {
    const alive = <T>(said: () => Promise<T>) => (life.isDead ? Promise.reject(new Crash("dead")) : said());
    const agent = this.#agent;
    return {
      apply: (...said) => alive(() => agent.apply(...said)),
      renew: (...said) => alive(() => agent.renew(...said)),
      revert: (...said) => alive(() => agent.revert(...said)),
      status: (signal) => alive(() => agent.status(signal)),
    };
  }

  #health(url: string, life: Life) {
    life.pass("after-health");
    const { fault } = this.#breakable;
    if (fault !== null && url.includes(this.plan.evacuate)) {
      if (fault.kind === "blackhole")
        return Promise.resolve({ kind: "unreadable", reason: "nothing was heard of it" } as const);
      if (fault.kind === "skew")
        return Promise.resolve({ kind: "read", manifest: aManifest({ [fault.field]: OTHER_HASH }) } as const);
    }
    const { failsAt } = this.#story;
    const isFailing = this.#hasFailed && failsAt !== undefined && url.includes(failsAt.region);
    if (isFailing && failsAt.how === "unready")
      return Promise.resolve({ kind: "unreadable", reason: "it answers 503" } as const);
    const INDEX_HASH = isFailing ? OTHER_HASH : aManifest().INDEX_HASH;
    return Promise.resolve({ kind: "read", manifest: aManifest({ INDEX_HASH }) } as const);
  }
}

function ownShare(document: RoutingDocument, region: string): number {
  const { places, document: view } = regionView(document, region);
  if (places.stable === region || places.stable === null) return 10_000;
  return places.candidate === region ? view.candidateBp : 0;
}

function ignoreCrash(error: unknown): undefined {
  if (!(error instanceof Crash)) throw error;
  return undefined;
}
