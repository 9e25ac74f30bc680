import type { Controller } from "../../src/controller/controller.ts";
import type { Resources } from "../../src/controller/resources.ts";
import { isSagaFinal } from "../../src/core/process/saga.ts";
import type { Manifest } from "../../src/core/release/manifest.ts";
import { isFinal } from "../../src/core/rollout/rollout.ts";
import type { Route } from "../../src/core/routing/route.ts";
import { REGION_DEFAULT } from "../../src/core/service/pointer.ts";
import type { RandomStream } from "../../src/core/stats/random.ts";
import type { RolloutPlan } from "../../src/core/stage/plan.ts";
import { epochMs } from "../../src/core/unit.ts";
import type { Change } from "../../src/ports/controller-store.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Life } from "../controller/life.ts";
import { aManifest } from "../controller/world.ts";
import type { ControllerNode } from "./controller-node.ts";
import { CutoverLaws } from "./cutover-laws.ts";
import { armOf, type CutoverPart, cutoverPlanOf, type Kind, releaseAt, RELEASES, WORKERS } from "./cutover-scenario.ts";
import type { Disk } from "./disk.ts";
import { EffectLaws } from "./effect-laws.ts";
import type { Fail, JournalLaws } from "./journal-laws.ts";
import type { Network } from "./network.ts";
import type { NodeClock } from "./node-clock.ts";
import { Products } from "./products.ts";
import type { Fault, Order, Scenario } from "./scenario.ts";
import { WorkerNode } from "./worker-node.ts";

interface RunWorld {
  readonly clock: Clock;
  readonly network: Network;
  readonly disk: Disk;
  readonly journal: JournalLaws;
  readonly random: RandomStream;
  readonly fail: Fail;
  note(text: string): void;
  node(): ControllerNode;
}

const FIRST_QUEUE = "jobs";
const FIRST_CONSUMER = "workers";
const LOOK_EVERY_MS = 400;
/** Once nothing is produced any more, what was is done within this. */
const FINISH_MS = 120_000;

/** Everything that a run with cutovers has beside planes and a controller, and who orders them one after another. */
export class CutoverRun {
  readonly #scenario: Scenario;
  readonly #part: CutoverPart;
  readonly #world: RunWorld;
  readonly #products: Products;
  readonly #effects: EffectLaws;
  readonly #laws: CutoverLaws;
  readonly #workers: readonly WorkerNode[];
  readonly #consumers = new Map<string, string>([[RELEASES[0], FIRST_CONSUMER]]);
  readonly #applied: { readonly id: string; readonly kind: Kind }[] = [];
  #isFollowed = false;
  #isHealed = false;
  #orders = 0;

  constructor(scenario: Scenario, part: CutoverPart, world: RunWorld) {
    this.#scenario = scenario;
    this.#part = part;
    this.#world = world;
    const { clock, fail, random, note, journal, network } = world;
    const nowMs = () => clock.monoMs();
    this.#effects = new EffectLaws(fail, nowMs, FIRST_QUEUE, () => this.#workers);
    this.#products = new Products({
      clock,
      random,
      fail,
      note,
      isOrdered: (epoch) => this.#laws.isOrdered(epoch),
      moved: (inFlight) => {
        this.#effects.isGivenAgain ||= inFlight > 0;
      },
    });
    const around = { products: this.#products, effects: this.#effects };
    this.#laws = new CutoverLaws({ fail, nowMs, inForce: () => journal.inForce, ...around });
    const { service } = scenario.plan;
    const acting = part.has.effects ? WORKERS : [];
    this.#workers = acting.map(
      (one, place) =>
        new WorkerNode(
          { ...one, ...(part.rhythms[place] ?? { askMs: 1_000, workMs: 50 }) },
          {
            clock,
            network,
            products: this.#products,
            laws: this.#effects,
            service,
            connect: () => world.node().connectWorker(),
            consumerOf: (release) => this.#consumers.get(release) ?? FIRST_CONSUMER,
          },
        ),
    );
  }

  readonly products = (life: Life, clock: Clock): Resources => this.#products.of(life, clock, () => true);

  /** What is there before anything is ordered: a release that serves, its index, queue and consumer. */
  async begin(): Promise<void> {
    const { disk, clock } = this.#world;
    const never = new AbortController().signal;
    this.#products.build("docs", "cosine");
    for (const release of RELEASES) this.#products.build(`docs of ${release}`, this.#part.isUnfit ? "l2" : "cosine");
    this.#products.indexes.aliases.set("docs", { index: "docs of r-stable", epoch: 0, previous: null });
    this.#products.build("docs of r-stable", "cosine");
    await this.#products.queue.driver.start(FIRST_QUEUE, FIRST_CONSUMER, { after: {}, epoch: 0 }, never);
    const arm = armOf(RELEASES[0]);
    const since = { process: "adopt", generation: null, at: epochMs(clock.wallMs()) };
    const { service } = this.#scenario.plan;
    const named = { release: arm.releaseId, reported: null, url: arm.url, arm };
    const pointer = { service, region: REGION_DEFAULT, ...named, epoch: 0, since };
    await disk.inner.commit({ pointer: { version: 1, cause: "created", by: "adopt", reason: "", pointer } });
    for (const worker of this.#workers) worker.start();
  }

  /** Orders one thing after another, each when the one before is over. */
  async follow(): Promise<void> {
    for (const [place, kind] of this.#part.kinds.entries()) {
      await this.#apply(kind, place);
      while (!this.#isOver(kind, this.#idOf(place))) await this.#world.clock.sleep(LOOK_EVERY_MS);
      // What would come now has no faults to meet, or waits for a person as what was before it does.
      if (this.#isHealed || this.#isWaiting(this.#idOf(place))) break;
    }
    this.#isFollowed = true;
  }

  committed(change: Change, livedMs: number): void {
    this.#effects.committed(change);
    this.#laws.committed(change, livedMs);
    const { process } = change;
    if (process === undefined) return;
    const { saga } = process.next.state as unknown as { saga: { phase: string; at: number } };
    const { event, orders } = process.entry;
    const told = orders.map(({ id, port, verb, epoch }) => `${id} ${port}.${verb} ${epoch}`).join();
    this.#world.note(`cutover ${(event as { kind: string }).kind} -> ${saga.phase} ${saga.at} ${told}`);
  }

  /** What must hold at every instant. */
  check(): void {
    this.#effects.check(this.#laws.isFrozen());
  }

  /** Whoever answers a user caches the answer. */
  decided(unit: string, { target }: Route): void {
    if (this.#part.has.cache && unit.startsWith("regular-0")) this.#products.cache(target.releaseId, "a question");
  }

  health(url: string): Manifest {
    const release = releaseAt(url);
    const index = release === RELEASES[0] || !this.#part.has.index ? "docs of r-stable" : `docs of ${release}`;
    return aManifest({ INDEX_HASH: `hash of ${index}` });
  }

  clockOf(node: string): NodeClock | undefined {
    return this.#workers.find(({ self }) => self.id === node)?.clock;
  }

  hinder({ product, how, forMs }: Extract<Fault, { kind: "hinder" }>): Promise<void> {
    return this.#products.hinder(product, how, forMs);
  }

  /** A person wants everything back, and holds what he is told against what is durable. */
  async order({ kind, atMs }: Exclude<Order, { plane: string }>): Promise<void> {
    const { controller } = this.#world.node();
    const applied = this.#applied.at(atMs % 3 === 0 ? 0 : -1) ?? null; // Now and then what is over long ago.
    if (controller === null || applied === null) return;
    if (applied.kind === "cutover") return this.#goBack(controller, applied.id);
    const command = kind === "abort" ? "abort" : "rollback";
    await controller
      .command(applied.id, { command, full: false, despite: false, by: "ann", reason: "" })
      .catch(() => null);
  }

  heal(): void {
    this.#isHealed = true;
    this.#products.heal();
    void this.#mend();
  }

  get isCalm(): boolean {
    const all = [...this.#laws.kept.values()];
    return this.#isFollowed && all.every(({ state }) => isSagaFinal(state.saga) && state.saga.phase !== "stuck");
  }

  get ends(): readonly string[] {
    return [...this.#laws.kept].map(([id, { state }]) => `${id} ${state.saga.phase}`);
  }

  /** Nothing is produced any more; what was produced is done. */
  async finish(advance: (ms: number, isOver: () => boolean) => Promise<void>): Promise<void> {
    const left = () => this.#effects.undoneBefore(Number.POSITIVE_INFINITY);
    this.#effects.isResting = true;
    await advance(FINISH_MS, () => left().length === 0);
    const [first] = left();
    if (first !== undefined) this.#world.fail("nothing lost", `"${first}" and ${left().length - 1} more were not done`);
    const { produced, done, refused } = this.#effects.counts;
    this.#world.note(`${produced} messages, ${done} done, ${refused} effects refused`);
  }

  stop(): void {
    for (const worker of this.#workers) worker.stop();
  }

  /** A person mends what is stuck, and says so. */
  async #mend(): Promise<void> {
    while (!this.isCalm) {
      const stuck = [...this.#laws.kept].find(([, { state, isLast }]) => isLast && state.saga.phase === "stuck");
      const { controller } = this.#world.node();
      if (stuck !== undefined && controller !== null) await this.#goBack(controller, stuck[0]);
      await this.#world.clock.sleep(LOOK_EVERY_MS);
    }
  }

  async #goBack(controller: Controller, id: string): Promise<void> {
    const { note, fail, node } = this.#world;
    const reason = `order ${this.#orders++}`;
    const said = await controller.cutovers.goBack(id, { by: "ann", reason }).catch(() => null);
    if (said === null || node().controller !== controller) return; // Nobody was told anything.
    note(`ann is told: back ${said.kind}`);
    const isDone = this.#laws.aborted.has(`${id} ${reason}`);
    const phase = this.#laws.kept.get(id)?.state.saga.phase;
    const isSo = phase === "returned" || phase === "undoing" || phase === "stuck";
    if (said.kind === "done" ? !isDone : isDone || (said.kind === "held" && !isSo))
      fail("kept word", `the way back was answered "${said.kind}", ${id} is ${phase}`);
  }

  #idOf(place: number): string {
    return `${this.#scenario.plan.rolloutId}-${place}`;
  }

  async #apply(kind: Kind, place: number): Promise<void> {
    const id = this.#idOf(place);
    for (;;) {
      const { controller } = this.#world.node();
      const said = controller === null ? null : await this.#offer(controller, kind, place).catch(() => null);
      if (said?.kind === "refused") this.#world.note(`${id} is refused: ${said.message}`);
      const isKnown = this.#world.journal.stored.has(id) || this.#laws.kept.has(id);
      if (said?.kind === "accepted" || isKnown) break;
      await this.#world.clock.sleep(LOOK_EVERY_MS);
    }
    this.#applied.push({ id, kind });
  }

  async #offer(controller: Controller, kind: Kind, place: number) {
    const { plan } = this.#scenario;
    const stable = controller.pointers.of(plan.service)?.arm.releaseId ?? RELEASES[0];
    const to = RELEASES[place + 1] ?? RELEASES[2];
    const id = this.#idOf(place);
    const consumer = this.#products.pointer?.consumer ?? FIRST_CONSUMER;
    this.#consumers.set(stable, consumer);
    if (kind === "rollout") {
      this.#consumers.set(to, consumer);
      const arms: RolloutPlan["arms"] = { stable: armOf(stable), candidate: armOf(to) };
      return controller.apply({ ...plan, rolloutId: id, arms, documentDigest: `sha256:${id}` });
    }
    this.#consumers.set(to, this.#part.has.queue ? `workers of ${to}` : consumer);
    const queue = this.#products.pointer?.producersTo ?? FIRST_QUEUE;
    const index = this.#products.indexes.aliases.get("docs")?.index ?? "docs of r-stable";
    return controller.applyCutover(cutoverPlanOf(plan, this.#part, id, to, { stable, index, queue, consumer }));
  }

  #isOver(kind: Kind, id: string): boolean {
    if (kind === "rollout") {
      const rollout = this.#world.journal.stored.get(id)?.rollout;
      return rollout !== undefined && (isFinal(rollout) || this.#isWaiting(id));
    }
    const phase = this.#laws.kept.get(id)?.state.saga.phase;
    return phase === "done" || phase === "returned";
  }

  #isWaiting(id: string): boolean {
    const rollout = this.#world.journal.stored.get(id)?.rollout;
    return rollout !== undefined && !isFinal(rollout) && (rollout.phase === "waiting" || rollout.paused);
  }
}
