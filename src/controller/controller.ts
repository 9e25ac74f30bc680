import type { UnitEvidence } from "../core/by-unit/unit-evidence.ts";
import { HourlyRates } from "../core/observe/hourly-rates.ts";
import { KnownClassesByService } from "../core/observe/known-classes.ts";
import { startObservations } from "../core/observe/observe.ts";
import { answerTo } from "../core/rollout/command.ts";
import { isFinal, newRollout, type Rollout } from "../core/rollout/rollout.ts";
import { HOURS_OF_HISTORY } from "../core/stage/peak-rate.ts";
import type { RolloutPlan } from "../core/stage/plan.ts";
import { epochMs } from "../core/unit.ts";
import type { ErrorClass, TelemetryWindow } from "../core/window/window.ts";
import type { ControllerStore, OperatorAnswer, StoredRollout } from "../ports/controller-store.ts";
import type { LiveGateway } from "../ports/gateway-hub.ts";
import { absenceOf } from "./absence.ts";
import type { KnownDrivers } from "../spec/known-drivers.ts";
import { type Applied, conflictOf, preflight, sameAgain, settleStable, smokeTest, unreadArms } from "./acceptance.ts";
import { Archive, neededOf } from "./archive.ts";
import { type Adopted, type AdoptOrder, adoptTarget, unknownService } from "./adoption.ts";
import type { Asked } from "./command-text.ts";
import { type AnsweringCommand, command, type Commanded } from "./commanding.ts";
import type { CutoverPlan } from "../core/cutover/plan.ts";
import type { ControllerOptions } from "./controller-options.ts";
import type { Cutovers } from "./cutovers.ts";
import type { Drills } from "./drills.ts";
import { Movers } from "./movers.ts";
import { GrantDesk } from "./grant-desk.ts";
import { DocumentLedger } from "./document-ledger.ts";
import { EventFeed } from "./event-feed.ts";
import type { GatewayRegistry } from "./gateway-registry.ts";
import { KeyDesk } from "./key-desk.ts";
import { Housekeeping } from "./housekeeping.ts";
import { FORGET_AFTER_MS } from "./silent-planes.ts";
import type { Superseded } from "./ownership.ts";
import { Panels } from "./panels.ts";
import { PlaneDesk } from "./plane-desk.ts";
import { wayBackOf } from "./precedence.ts";
import { Pruning } from "./pruning.ts";
import { NO_RESOURCES } from "./resources.ts";
import { readResumption, type Resumption } from "./resumption.ts";
import { type ActorTools, RolloutActor, isSame } from "./rollout-actor.ts";
import { Roster } from "./roster.ts";
import { ServicePointers } from "./service-pointers.ts";
import { Tenure } from "./tenure.ts";
import { ShortTurns } from "./short-turns.ts";
import { Ticker } from "./ticker.ts";
import { underDocument } from "./telemetry-push.ts";

export type Answering = (rollout: Rollout) => OperatorAnswer;

const PREFLIGHT_MS = 5_000;
const SMOKE_MS = 60_000; // For the few questions that are asked before a rollout is accepted.
const HOUR_MS = 3_600_000;
/** Event ids begin at the time of the start times this: no process tells more events in a millisecond. */
const EVENTS_PER_MS = 1_000;

interface Owned {
  readonly actors: Roster;
  readonly tenure: Tenure;
  readonly planes: PlaneDesk;
  readonly pointers: ServicePointers;
  readonly grants: GrantDesk;
}

/**
 * Carries out all rollouts of one store, which it owns. When another process takes the store, it decides nothing any
 * more, and its `superseded` says who did.
 */
export class Controller {
  readonly feed: EventFeed;
  readonly hub: GatewayRegistry;
  /** Every data plane that may serve users, and the leases they get. */
  readonly planes: PlaneDesk;
  readonly keys: KeyDesk;
  readonly pruning: Pruning;
  readonly cutovers: Cutovers;
  readonly drills: Drills;
  readonly #movers: Movers;
  readonly drivers: KnownDrivers;
  readonly #tenure: Tenure;
  readonly pointers: ServicePointers;
  readonly panels = new Panels();
  readonly #tools: ActorTools;
  readonly #actors: Roster;
  readonly #known = new KnownClassesByService();
  readonly #hours: HourlyRates;
  readonly #ticker: Ticker;
  readonly #archive: Archive;
  /** Applies go one after another: two at once could both find a service free. */
  #applying: Promise<unknown> = Promise.resolve();
  #ticking: Promise<void> = Promise.resolve();

  private constructor(options: ControllerOptions, ledger: DocumentLedger, hours: HourlyRates, owned: Owned) {
    this.#hours = hours;
    this.#actors = owned.actors;
    this.#tenure = owned.tenure;
    this.planes = owned.planes;
    this.hub = options.hub;
    this.drivers = options.drivers;
    this.keys = new KeyDesk(options.signer, ledger, options.hub);
    this.feed = new EventFeed(options.clock.wallMs() * EVENTS_PER_MS);
    this.pointers = owned.pointers;
    const running = () => this.#ticker.running;
    const own = { ledger, pointers: owned.pointers, feed: this.feed, panels: this.panels };
    this.#tools = { ...options, ...own, ...owned.tenure.tools, running, turns: new ShortTurns(options.clock) };
    const ordered = () => this.rollouts().map(({ rollout }) => rollout);
    const { resources = NO_RESOURCES } = options;
    const moving = { ...this.#tools, grants: owned.grants, resources, rollouts: ordered };
    this.#movers = new Movers(moving, options, options.hub);
    this.cutovers = this.#movers.cutovers;
    this.drills = this.#movers.drills;
    const [rollouts, wallMs] = [() => this.rollouts(), () => options.clock.wallMs()];
    const { forgetAfterMs = FORGET_AFTER_MS } = options;
    const kept = { ...this.#tools, hub: this.hub, planes: this.planes, hours, rollouts, wallMs, forgetAfterMs };
    const housekeeping = new Housekeeping(kept);
    const before = async (): Promise<void> => {
      void this.#tenure.renew();
      await housekeeping.tick().catch(this.#tools.onFatal);
      this.#archive.release();
      this.#movers.tick();
    };
    this.#ticker = new Ticker({ ...this.#tools, actors: owned.actors, before });
    const needed = () => neededOf(this.pointers, this.hub);
    const turns = { inTurn: <T>(work: () => Promise<T>) => this.#inTurn(work), needed };
    const restore = (stored: StoredRollout) => this.#restore(stored);
    this.#archive = new Archive({ ...this.#tools, actors: this.#actors, restore, needed });
    this.pruning = new Pruning({ ...this.#tools, ...turns, archive: this.#archive, restore });
  }

  /** Reads the store, continues what a restart interrupted and begins to tick. */
  static async open(options: ControllerOptions): Promise<Controller> {
    const { clock, hub, proof, signer } = options;
    const tenure = await Tenure.begin(options);
    const { ownership, store } = tenure;
    const pointers = new ServicePointers(store);
    await pointers.load();
    const highestEpoch = (service: string) => Math.max(ownership.epochFloor, hub.highestEpoch(service));
    const heard = { store: ownership.store, highestEpoch };
    const ledger = new DocumentLedger(store, clock, pointers, heard, signer);
    const documents = await ledger.load();
    const leaseMs = Math.max(0, ...documents.map(({ lease }) => lease?.ms ?? 0));
    const actors = new Roster();
    const isTakenBack = wayBackOf((rolloutId) => actors.get(rolloutId)?.stored ?? null);
    const planes = await PlaneDesk.open({ store, hub, ownership, clock, proof, signer, isTakenBack }, leaseMs);
    const sinceHour = Math.floor(options.clock.wallMs() / HOUR_MS) - HOURS_OF_HISTORY;
    const hours = new HourlyRates(await store.hours(sinceHour));
    const grants = await GrantDesk.open({ store, clock, pointerOf: (service) => pointers.of(service), ownership });
    const controller = new Controller(options, ledger, hours, { actors, tenure, planes, pointers, grants });
    for (const document of documents) options.hub.publish(document);
    controller.#movers.regionTraffic.learn(...documents);
    await controller.pruning.load();
    for (const stored of await store.unended()) await controller.#restore(stored);
    await controller.#archive.load();
    await controller.#movers.load();
    controller.#ticking = controller.#ticker.run(tenure.stopped);
    const stopActors = () => {
      void controller.#movers.stop();
      return controller.#actors.all().map((actor) => actor.stop().catch(() => {}));
    };
    tenure.stopped.addEventListener("abort", () => void stopActors(), { once: true });
    return controller;
  }

  /** The store as this process may write to it. */
  get store(): ControllerStore {
    return this.#tools.store;
  }

  /** Identity of the store. */
  get storeId(): string {
    return this.#tenure.ownership.store;
  }

  /** Resolves when another process has taken the store: this one has stopped to decide and must end. */
  get superseded(): Promise<Superseded> {
    return this.#tenure.superseded;
  }

  /** Arms that the controller cannot read from where it is. */
  unreadArms(plan: RolloutPlan): ReturnType<typeof unreadArms> {
    return this.#inTime((signal) => unreadArms(plan, this.#tools.health, signal));
  }

  /** What `apply` would make of a plan's stable; nothing is begun. */
  settle(plan: RolloutPlan): ReturnType<typeof settleStable> {
    return this.#inTime((signal) => settleStable(plan, this.pointers.of(plan.service), this.#tools.health, signal));
  }

  /** All that run, and of those that are over the last ones and what services need; the others have to be found. */
  rollouts(): readonly StoredRollout[] {
    return this.#actors.all().map((actor) => actor.stored);
  }

  rollout(rolloutId: string): StoredRollout | null {
    return this.#actors.get(rolloutId)?.stored ?? null;
  }

  /** Any rollout, however long it is over; it is one of these for a while then. */
  find(rolloutId: string): Promise<StoredRollout | null> {
    return this.#archive.use(rolloutId, (actor) => Promise.resolve(actor?.stored ?? null));
  }

  /** What the users of a rollout's running try showed; null for a rollout that is not known. */
  units(rolloutId: string): UnitEvidence | null {
    return this.#actors.get(rolloutId)?.units ?? null;
  }

  /** Accepts a plan, or says why not. The same document again is no change. */
  async apply(plan: RolloutPlan, answering?: Answering): Promise<Applied> {
    this.#tenure.demand();
    const work = () => this.#archive.use(plan.rolloutId, (known) => this.#apply(plan, known, answering));
    return this.#inTurn(() => this.cutovers.accepting(plan, work));
  }

  /** @throws DriverError when the store is away or lost: nothing was decided */
  async command(rolloutId: string, asked: Asked, answering?: AnsweringCommand): Promise<Commanded> {
    this.#tenure.demand();
    const around = {
      now: () => epochMs(this.#tools.clock.wallMs()),
      current: (service: string) => this.hub.current(service),
      rollout: (id: string) => this.rollout(id),
      rollouts: () => this.rollouts(),
      pointer: (service: string) => this.pointers.of(service),
      busy: (service: string, id: string) => this.cutovers.busy(service, id),
    };
    const said = await this.#archive.use<Commanded>(rolloutId, async (actor) =>
      actor === null ? { kind: "unknown" } : command(actor, asked, around, answering),
    );
    this.#tenure.demandHeld();
    return said;
  }

  /**
   * Takes a report in. Resolves when its windows are durable and what they decided is ordered. `adopted` is null for a
   * service that counts and routes nothing: it knows no document, so its windows count for the one in force.
   * @param region where the data plane stands; null where it says none
   * @throws DriverError when the store is away or lost: the windows have to be sent again
   */
  async ingest(
    service: string,
    sent: readonly TelemetryWindow[],
    adopted: LiveGateway["adopted"] | null,
    region: string | null = null,
  ): Promise<void> {
    this.#tenure.demand();
    const windows = adopted === null ? underDocument(sent, this.hub.current(service)) : sent;
    this.#movers.regionTraffic.take(service, region, windows);
    if (adopted !== null) {
      await this.#createPointer(service, adopted); // Before the gateway counts as live, so that no apply can be faster.
      this.#hours.learn(service, windows);
    }
    this.#known.learn(service, windows, this.#tools.clock.monoMs());
    const actor = this.#actors.runningOf(service);
    if (actor !== null) await this.#tenure.unlessAway(actor.ingest(windows));
  }

  journal(rolloutId: string): ReturnType<ControllerStore["journal"]> {
    return this.#tools.store.journal(rolloutId);
  }

  /** Pauses the running rollout of a service, because something outside it makes its evidence worthless. */
  async pauseFor(service: string, by: string, reason: string): Promise<void> {
    const actor = this.#actors.runningOf(service);
    if (actor === null || actor.rollout.paused || answerTo(actor.rollout, "pause").kind !== "acts") return;
    const at = epochMs(this.#tools.clock.wallMs());
    await actor.take({ kind: "commanded", at, command: "pause", full: false, by, reason });
  }

  /** Lets data planes keep their share while this process is away. */
  async announceStop(): Promise<void> {
    const isNeeded = this.rollouts().some(({ rollout }) => !isFinal(rollout) && rollout.candidateBp > 0);
    if (isNeeded) await this.#tenure.announceStop();
  }

  /** Stops ticking and working; everything durable stays. The store is given up, and the caller's to close. */
  async stop(): Promise<void> {
    this.#tenure.stop();
    await Promise.all([
      this.#ticking,
      this.#applying.catch(() => {}),
      this.#movers.stop(),
      ...this.#actors.all().map((actor) => actor.stop().then(() => actor.keepUnits())),
    ]);
    await this.#tenure.end();
  }

  async #apply(asked: RolloutPlan, existing: RolloutActor | null, answering?: Answering): Promise<Applied> {
    const { store, clock, health } = this.#tools;
    if (existing !== null && isSame(existing.rollout.plan, asked))
      return this.#inTime((signal) => sameAgain(existing.stored, this.pointers.of(asked.service), health, signal));
    const rollouts = this.rollouts().map(({ rollout }) => rollout);
    const blocked =
      this.#movers.conflict(asked.service, asked.rolloutId) ??
      conflictOf(asked, rollouts, this.pruning.lastGeneration(asked.rolloutId));
    if (blocked !== null) return blocked;
    const settled = await this.#fit(asked);
    if (settled.kind === "refused") return settled;
    const acceptedEpoch = this.hub.current(asked.service)?.epoch ?? 0;
    const plan = this.#hours.withPeak({ ...settled.plan, acceptedEpoch }, clock.wallMs());
    const rollout = newRollout(plan);
    const classes: readonly ErrorClass[] = this.#known.of(plan.service, clock.monoMs());
    const expectedVersion = existing?.stored.version ?? null;
    const version = (expectedVersion ?? 0) + 1;
    const observations = startObservations(rollout.plan, classes);
    const next = { rollout, observations, version, createdAt: clock.wallMs() };
    const pointer = this.pointers.of(plan.service);
    // Read before the commit: what is accepted must go on here, whatever the store does next.
    const resumption = await readResumption(next, store, epochMs(clock.wallMs()));
    const move = pointer !== null && settled.isMoved ? this.pointers.movedAddress(pointer, plan) : null;
    const answer = answering === undefined ? {} : { answer: answering(rollout) };
    const moving = move === null ? {} : { pointer: move };
    return this.#archive.begin<Applied>(plan.rolloutId, async () => {
      if (!(await store.commit({ rollout: { expectedVersion, next }, ...answer, ...moving }))) {
        return { kind: "refused", code: "conflict", message: `${plan.rolloutId} changed at this moment; try again` };
      }
      if (move !== null) this.pointers.remember(move);
      await existing?.stop();
      await this.#restore(next, resumption);
      return { kind: "accepted", rollout: this.#actors.get(plan.rolloutId)?.rollout ?? rollout };
    });
  }

  /** Holds a plan against what the service serves, and its targets against what the plan asks of them. */
  async #fit(asked: RolloutPlan): ReturnType<typeof settleStable> {
    const { clock, health, traffic, probes } = this.#tools;
    const settled = await this.settle(asked);
    if (settled.kind === "refused") return settled;
    const unready = await this.#inTime((signal) => preflight(settled.plan, traffic, health, signal));
    if (unready !== null) return unready;
    return (await smokeTest(settled.plan, probes, clock.timeout(SMOKE_MS, this.#tenure.stopped))) ?? settled;
  }

  /** Accepts a plan that moves everything at once, or says why not. The same document again is no change. */
  async applyCutover(asked: CutoverPlan, answering?: Parameters<Movers["applyCutover"]>[2]) {
    this.#tenure.demand();
    const fit = () => this.#fit(asked);
    return this.#inTurn(() => this.#movers.applyCutover(asked, { fit }, answering));
  }

  /** Accepts a drill, or says why not. The same document again is no change. */
  async applyDrill(...asked: Parameters<Movers["applyDrill"]>) {
    this.#tenure.demand();
    return this.#inTurn(() => this.#movers.applyDrill(...asked));
  }

  /**
   * Takes over what was changed from outside: the service's users are at `url` from now on. Refused while a rollout of
   * the service runs, before the service has a pointer, and where nothing answers.
   */
  adopt(service: string, asked: AdoptOrder): Promise<Adopted> {
    return this.#inTurn(() => this.#adopt(service, asked));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#applying.then(work);
    this.#applying = done.catch(() => {}); // Each caller hears of its own failure; the next one starts afresh.
    return done;
  }

  /** Work that asks other services may take only so long. */
  #inTime<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return work(this.#tools.clock.timeout(PREFLIGHT_MS));
  }

  async #adopt(service: string, { url, by, reason }: AdoptOrder): Promise<Adopted> {
    const pointer = this.pointers.of(service);
    const { health, ledger } = this.#tools;
    const target = await this.#inTime((signal) => adoptTarget(service, url, pointer, this.rollouts(), health, signal));
    if (target.kind !== "adopt" || pointer === null) return target.kind === "adopt" ? unknownService(service) : target;
    const document = await ledger.publishAdopted(service, ({ epoch, issuedAt: at }) =>
      this.pointers.adopted(pointer, target.arm, target.reported, { by, reason, epoch, at }),
    );
    if (document === null) return unknownService(service);
    this.hub.publish(document);
    const text = `${by} took over ${url} as the current release of ${service}: ${reason}`;
    this.feed.publish(this.#tools.clock.wallMs(), { type: "note", rollout: null, text });
    return { kind: "adopted", pointer: this.pointers.of(service) ?? pointer };
  }

  /** The first split that a data plane has adopted makes its stable the service's current release. */
  async #createPointer(service: string, adopted: LiveGateway["adopted"]): Promise<void> {
    const current = this.hub.current(service);
    if (this.pointers.of(service) !== null || current?.rolloutId == null) return;
    if (current.epoch !== adopted.epoch || current.seq !== adopted.seq) return;
    const stored = this.rollout(current.rolloutId);
    if (stored !== null) await this.pointers.create(stored.rollout.plan, current, stored.observations.pinned);
  }

  /** @param read what it goes on with, where that was read already */
  async #restore(stored: StoredRollout, read?: Resumption): Promise<void> {
    const at = epochMs(this.#tools.clock.wallMs());
    const { journal, units } = read ?? (await readResumption(stored, this.store, at));
    const actor = new RolloutActor(stored, { journalLength: journal.length, units }, this.#tools);
    this.#actors.add(actor);
    const absence = absenceOf(stored, journal, at, this.#tenure.ownership.announcedBeforeMs);
    if (absence !== null) await actor.takeUp(absence);
    if (!isFinal(stored.rollout)) await actor.resume();
  }
}
