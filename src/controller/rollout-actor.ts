import type { JournalEntry } from "../core/rollout/journal-entry.ts";
import type { RolloutPlan } from "../core/stage/plan.ts";
import { UnitEvidence } from "../core/by-unit/unit-evidence.ts";
import type { Observations } from "../core/observe/observations.ts";
import { measuredBp, newTraffic, observe, observeReading } from "../core/observe/observe.ts";
import { type Order, orderName } from "../core/process/order.ts";
import type { RolloutEvent } from "../core/rollout/event.ts";
import { isFinal, type Rollout } from "../core/rollout/rollout.ts";
import { look, turn } from "../core/rollout/wheel.ts";
import { type EpochMs, epochMs } from "../core/unit.ts";
import type { TelemetryWindow } from "../core/window/window.ts";
import type { OperatorAnswer, StoredRollout, StoredUnits } from "../ports/controller-store.ts";
import { describe, OrderDesk } from "./orders/desk.ts";
import type { Outcome } from "./orders/executor.ts";
import { type OrderTools, rolloutOrders } from "./orders/rollout-orders.ts";
import type { EventFeed } from "./event-feed.ts";
import { IdentityWatch } from "./identity-watch.ts";
import { LookCadence } from "./look-cadence.ts";
import { lostStore } from "./ownership.ts";
import { MetricPoller, type MetricSources } from "./metric-poller.ts";
import type { Panels } from "./panels.ts";
import type { ShortTurns } from "./short-turns.ts";
import { WallWatch } from "./wall-watch.ts";
import { WaitingPushes } from "./waiting-pushes.ts";
import { isOnlyNumbers, isWorthAnEntry } from "./worth-an-entry.ts";

export interface ActorTools extends OrderTools {
  readonly metrics: MetricSources;
  readonly feed: EventFeed;
  readonly panels: Panels;
  readonly log: (line: string) => void;
  /** A store that fails cannot be worked around: the process must end and continue after a restart. */
  readonly onFatal: (error: unknown) => void;
  /** How many rollouts this process carries out. */
  readonly running: () => number;
  /** What comes of itself is done in them: telemetry and ticks. */
  readonly turns: ShortTurns;
}

/**
 * Evidence by unit is large and is stored at most this often: a crash loses so much of it, and of both arms alike. The
 * process after it knows from when to when (`readResumption`).
 */
const UNITS_EVERY_MS = 10_000;

/** The reply to whoever sent an event, told from the state after it. */
type Answer = (rollout: Rollout) => OperatorAnswer | undefined;

/** What a rollout goes on from: its journal's length, and what the units of its generation showed. */
export interface Restored {
  readonly journalLength: number;
  readonly units: UnitEvidence;
}

/**
 * One rollout being carried out. All work on it goes through one queue, so that decisions are taken one after another;
 * every decision is committed before its orders begin and before anybody is told.
 */
export class RolloutActor {
  #stored: StoredRollout;
  /** The state as it was committed last: the verdicts in `#stored` may say the same in newer numbers. */
  #durable: Rollout;
  #journalLength: number;
  #queue: Promise<unknown> = Promise.resolve();
  /** The first that come are stored at once: until then what is stored says that nothing came after it. */
  #unitsAtMonoMs = Number.NEGATIVE_INFINITY;
  #units: UnitEvidence;
  #isStopped = false;
  readonly #tools: ActorTools;
  readonly #poller: MetricPoller;
  readonly #wall: WallWatch;
  readonly #desk: OrderDesk<RolloutPlan>;
  readonly #pushes: WaitingPushes;
  readonly #cadence: LookCadence;
  readonly #identity: IdentityWatch;
  #isTicking = false;

  constructor(stored: StoredRollout, { journalLength, units }: Restored, tools: ActorTools) {
    this.#stored = stored;
    this.#durable = stored.rollout;
    this.#journalLength = journalLength;
    this.#units = units;
    this.#tools = tools;
    this.#poller = new MetricPoller(tools.metrics, tools.clock);
    this.#wall = new WallWatch(tools.clock);
    this.#cadence = new LookCadence(tools.clock, tools.running);
    this.#identity = new IdentityWatch(tools);
    this.#pushes = new WaitingPushes(
      (work) => tools.turns.run(work, (one) => this.#enqueue(one)),
      (windows) => this.#takeWindows(windows),
    );
    this.#desk = new OrderDesk({
      executors: rolloutOrders(tools),
      clock: tools.clock,
      log: tools.log,
      tell: (order, status) => this.#tellOrder(order, status),
      take: (order, outcome) => this.#takeOutcome(order, outcome),
    });
  }

  get stored(): StoredRollout {
    return this.#stored;
  }

  /** What the users of this try showed. */
  get units(): UnitEvidence {
    return this.#units;
  }

  get rollout(): Rollout {
    return this.#stored.rollout;
  }

  /** Begins the orders a restart interrupted, or the rollout itself. */
  async resume(): Promise<void> {
    const { awaiting, phase } = this.rollout;
    if (phase === "pending") await this.take({ kind: "started", at: this.#now() });
    else for (const order of awaiting) this.#begin(order);
  }

  /** Takes one event, at the time at which its turn comes. */
  take(event: RolloutEvent): Promise<void> {
    return this.#enqueue(() => this.#decide({ ...event, at: this.#now() }, this.#stored.observations));
  }

  /** Takes up again what a process before this one carried out. */
  takeUp(absence: RolloutEvent): Promise<void> {
    return this.#enqueue(() => this.#decideAlive(absence));
  }

  /** Takes what is made of the state in which its turn comes, if anything; its reply is durable in the same commit. */
  takeInState(make: (rollout: Rollout) => { event: RolloutEvent; answer: Answer } | null): Promise<void> {
    return this.#enqueue(async () => {
      const made = make(this.rollout);
      if (made !== null) await this.#decide(made.event, this.#stored.observations, made.answer);
    });
  }

  /** Takes telemetry in; resolves when it is durable and everything it decided is decided. */
  ingest(windows: readonly TelemetryWindow[]): Promise<void> {
    return this.#pushes.add(windows);
  }

  /** A look at the clock: holds end, caps are reached, identity is compared again. Cheap where nothing is due. */
  async tick(): Promise<void> {
    const { rollout, observations } = this.#stored;
    if (this.#isTicking || isFinal(rollout)) return;
    const isLookDue = this.#cadence.isDue(rollout, observations);
    if (!isLookDue && !this.#isDue) return;
    this.#isTicking = true;
    const work = async (): Promise<void> => {
      if (isFinal(this.rollout)) return;
      await this.#decide({ kind: "tick", at: this.#now() }, this.#stored.observations);
      if (isLookDue) await this.#look(this.#stored.observations);
      this.#compareAgain();
      this.#readMetrics();
    };
    const done = this.#tools.turns.run(work, (one) => this.#enqueue(one));
    await done.finally(() => {
      this.#isTicking = false;
    });
  }

  /** Gives up orders and takes no more work; what is durable stays as it is. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#desk.close();
    await this.#queue;
  }

  /** Stores what the units showed after `stop`, so that a planned restart misses nobody. */
  async keepUnits(): Promise<void> {
    if (this.rollout.startedAt === null || isFinal(this.rollout)) return;
    const { store, log } = this.#tools;
    const { version: expectedVersion } = this.#stored;
    const next = { ...this.#stored, version: expectedVersion + 1 };
    const change = { rollout: { expectedVersion, next }, units: this.#unitsNow(true) };
    const isStored = await store.commit(change).catch((error: unknown) => {
      log(`${this.rollout.plan.rolloutId}: users of the last seconds could not be stored: ${describe(error)}`);
      return false;
    });
    if (isStored) this.#stored = next;
  }

  /** Whether the clock asks for anything but a look. */
  get #isDue(): boolean {
    const { rollout, observations } = this.#stored;
    const isWaiting = rollout.phase === "checking" && rollout.awaiting.length === 0; // To be compared again.
    const isToBeRead = this.#identity.isDue(rollout, observations.pinned) || this.#poller.isDue(rollout.plan.metrics);
    return isWaiting || isToBeRead || this.#wall.hasMoved;
  }

  async #takeWindows(windows: readonly TelemetryWindow[]): Promise<void> {
    const { plan } = this.rollout;
    const before = this.#stored.observations;
    // Known from publishing on, not from confirmation: a gateway that adopted early already sends candidate traffic.
    const sinceEpoch = before.sinceEpoch ?? this.#tools.ledger.firstEpoch(plan);
    const known = sinceEpoch === before.sinceEpoch ? before : { ...before, sinceEpoch };
    const after = windows.reduce((seen, window) => {
      const arms = newTraffic(seen, window);
      if (arms !== null) this.#tools.panels.take(plan.rolloutId, arms, window.endMs);
      return observe(seen, window, plan, this.#units);
    }, known);
    if (after !== before) await this.#look({ ...after, livedAt: this.#now() });
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(async () => {
      if (this.#isStopped) return;
      const byMs = this.#wall.movedMs();
      // Told before anything else: a hold is lived through, whatever the wall clock says.
      if (byMs !== 0 && !isFinal(this.rollout)) await this.#decideAlive({ kind: "clock-moved", at: this.#now(), byMs });
      await work();
    });
    this.#queue = done.catch(() => {}); // Each caller hears of its own failure; the next one starts afresh.
    return done;
  }

  /** Takes an event after which times are told by another clock than before. */
  #decideAlive(event: RolloutEvent): Promise<void> {
    return this.#decide(event, { ...this.#stored.observations, livedAt: event.at });
  }

  async #look(observations: Observations): Promise<void> {
    const { isOpen } = this.#cadence;
    const judged = look(this.rollout, observations, this.#now(), () => isOpen, this.#units, this.#identity.beside);
    if (judged === null) return this.#remember(observations);
    this.#cadence.judged();
    const before = this.rollout;
    await this.#decide(judged, observations);
    // What came of it may be judged otherwise: another share, another phase.
    if (isOnlyNumbers(before, this.rollout)) this.#cadence.looked(this.rollout, this.#stored.observations, judged.at);
  }

  /** Commits observations that decided nothing. Verdicts in newer numbers go with the next decision. */
  async #remember(observations: Observations, rollout: Rollout = this.rollout): Promise<void> {
    if (observations === this.#stored.observations) return;
    const next = { ...this.#stored, observations, version: this.#stored.version + 1 };
    await this.#commit({ ...next, rollout: this.#durable }, null);
    this.#stored = { ...next, rollout };
  }

  async #decide(event: RolloutEvent, seen: Observations, answer?: Answer): Promise<void> {
    const before = this.rollout;
    const { rollout: state, seen: observations, orders, notes } = turn(before, seen, event, this.#epoch());
    if (observations.generation !== seen.generation) this.#units = new UnitEvidence();
    const isUnchanged = state === before && observations === this.#stored.observations;
    if (isUnchanged && answer === undefined) return;
    const entry = isWorthAnEntry(before, state, event) ? this.#entry(state, event, orders) : null;
    const next = { ...this.#stored, rollout: state, observations, version: this.#stored.version + 1 };
    const isSaidAgain = isOnlyNumbers(before, state) && answer === undefined;
    if (isSaidAgain && observations === this.#stored.observations) this.#stored = { ...this.#stored, rollout: state };
    else if (isSaidAgain) await this.#remember(observations, state);
    else await this.#commit(next, entry, answer?.(state));
    for (const note of notes) this.#tools.feed.publish(this.#tools.clock.wallMs(), note);
    this.#desk.keepOnly(state.awaiting);
    for (const order of orders) this.#begin(order);
  }

  #entry(state: Rollout, event: RolloutEvent, orders: JournalEntry["orders"]): JournalEntry {
    const { schema, plan, phase, stageIndex, candidateBp } = state;
    const { rolloutId } = plan;
    return { schema, rolloutId, index: this.#journalLength, event, orders, phase, stageIndex, candidateBp };
  }

  async #commit(next: StoredRollout, entry: JournalEntry | null, answer?: OperatorAnswer): Promise<void> {
    const { store, onFatal } = this.#tools;
    const rollout = { expectedVersion: this.#stored.version, next };
    try {
      const units = this.#unitsDue(next);
      const change = {
        rollout,
        journal: entry === null ? [] : [entry],
        ...(answer === undefined ? {} : { answer }),
        ...(units === null ? {} : { units }),
      };
      const isStored = await store.commit(change);
      if (!isStored) throw lostStore(`rollout ${next.rollout.plan.rolloutId}, version ${rollout.expectedVersion}`);
    } catch (error) {
      onFatal(error);
      throw error;
    }
    this.#stored = next;
    this.#durable = next.rollout;
    if (entry !== null) this.#journalLength++;
  }

  #unitsDue(next: StoredRollout): StoredUnits | null {
    const nowMs = this.#tools.clock.monoMs();
    const isDue = nowMs - this.#unitsAtMonoMs >= UNITS_EVERY_MS;
    const isEnding = isFinal(next.rollout) && !isFinal(this.rollout);
    if (!(isDue || isEnding) || !this.#units.tells("failures")) return null;
    this.#unitsAtMonoMs = nowMs;
    return this.#unitsNow(false);
  }

  #unitsNow(isLast: boolean): StoredUnits {
    const { rolloutId, generation } = this.rollout.plan;
    const { generation: attempt } = this.#stored.observations;
    const evidence = { ...this.#units.snapshot(), takenAt: this.#now(), ...(isLast ? { isLast } : {}) };
    return { rolloutId, generation, attempt, evidence };
  }

  #begin(order: Order): void {
    const { plan, candidateBp } = this.rollout;
    this.#desk.begin(order, { plan, candidateBp, pinned: this.#stored.observations.pinned });
  }

  #tellOrder(order: Order, status: "started" | "done" | "failed"): void {
    const { feed, clock } = this.#tools;
    const { rolloutId: rollout } = this.rollout.plan;
    feed.publish(clock.wallMs(), { type: "order", rollout, id: order.id, order: orderName(order), status });
    if (status === "done" && order.port === "traffic") this.#tellSplit();
  }

  /** Tells the share now served everywhere, and what was measured under it so far. */
  #tellSplit(): void {
    const { feed, clock, ledger } = this.#tools;
    const { plan } = this.rollout;
    const document = ledger.current(plan.service);
    if (document === null) return;
    const { epoch, seq, candidateBp } = document;
    const measured_bp = measuredBp(this.#stored.observations.totals.latest, document);
    const split = { epoch, seq, candidate_bp: candidateBp, measured_bp };
    feed.publish(clock.wallMs(), { type: "split", rollout: plan.rolloutId, ...split });
  }

  #takeOutcome(order: Order, outcome: Outcome): Promise<void> {
    const of = { orderId: order.id, order: orderName(order) };
    if (outcome.kind === "failed") {
      const { code, message } = outcome;
      return this.take({ kind: "order-failed", at: this.#now(), ...of, code, message });
    }
    const { verdicts, pinned } = outcome;
    return this.#enqueue(() => {
      const { observations } = this.#stored;
      const seen: Observations = { ...observations, pinned: observations.pinned ?? pinned ?? null };
      return this.#decide({ kind: "order-done", at: this.#now(), ...of, verdicts }, seen);
    });
  }

  #compareAgain(): void {
    const { plan } = this.rollout;
    const { pinned } = this.#stored.observations;
    if (pinned === null || !this.#identity.isDue(this.rollout, pinned)) return;
    const compare = async (): Promise<void> => {
      const before = this.#identity.beside;
      const verdicts = await this.#identity.compare(plan, pinned, () => this.rollout);
      if (this.#identity.beside.length + before.length > 0) this.#cadence.forget();
      // Only a differing answer speaks at once; silence for a moment changes no release.
      if (!verdicts.some((verdict) => verdict.kind === "fail")) return;
      await this.take({ kind: "judged", at: this.#now(), stageIndex: this.rollout.stageIndex, verdicts });
    };
    compare().catch((error: unknown) =>
      this.#tools.log(`${plan.rolloutId}: comparing identity again failed: ${String(error)}`),
    );
  }

  /** Readings come back through the queue; none is waited for, so a slow source delays nothing. */
  #readMetrics(): void {
    const { plan } = this.rollout;
    for (const metric of this.#poller.due(plan.metrics)) {
      const take = async (): Promise<void> => {
        const reading = await this.#poller.read(metric);
        await this.#enqueue(() => this.#look(observeReading(this.#stored.observations, reading, plan)));
      };
      take().catch((error: unknown) =>
        this.#tools.log(`${plan.rolloutId}: reading ${metric.name} failed: ${describe(error)}`),
      );
    }
  }

  /** Epoch of the document in force; 0 before the first one. */
  #epoch(): number {
    return this.#tools.ledger.current(this.rollout.plan.service)?.epoch ?? 0;
  }

  #now(): EpochMs {
    return epochMs(this.#tools.clock.wallMs());
  }
}

/** True when a plan asks for what the stored one asks: the same document and files, in the same generation. */
export function isSame(stored: RolloutPlan, asked: RolloutPlan): boolean {
  return stored.documentDigest === asked.documentDigest && stored.generation === asked.generation;
}
