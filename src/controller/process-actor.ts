import type { Json } from "../core/canonical-json.ts";
import type { ByArm } from "../core/arm.ts";
import type { HostedMachine } from "../core/process/machine.ts";
import { type Order, type OrderDone, type OrderFailed, orderName } from "../core/process/order.ts";
import type { Manifest } from "../core/release/manifest.ts";
import { type EpochMs, epochMs } from "../core/unit.ts";
import type { Clock } from "../ports/clock.ts";
import type { ControllerStore, OperatorAnswer, ProcessEntry, StoredProcess } from "../ports/controller-store.ts";
import type { EventFeed } from "./event-feed.ts";
import type { Executors } from "./orders/carry-out.ts";
import { OrderDesk } from "./orders/desk.ts";
import type { Orderer, Outcome } from "./orders/executor.ts";
import { lostStore } from "./ownership.ts";
import { WallWatch } from "./wall-watch.ts";

/** The events that every process gets from its host; a machine has more of its own. */
type HostEvent =
  | { readonly kind: "started"; readonly at: EpochMs }
  | { readonly kind: "tick"; readonly at: EpochMs }
  | { readonly kind: "clock-moved"; readonly at: EpochMs; readonly byMs: number }
  | { readonly kind: "controller-restarted"; readonly at: EpochMs }
  | OrderDone
  | (OrderDone & { readonly pinned: ByArm<Manifest> })
  | OrderFailed;

export interface ProcessTools<Plan, State> {
  readonly executors: Executors<Plan>;
  readonly orderer: (state: State) => Orderer<Plan>;
  readonly store: ControllerStore;
  readonly clock: Clock;
  readonly feed: EventFeed;
  readonly log: (line: string) => void;
  /** A store that fails cannot be worked around: the process must end and continue after a restart. */
  readonly onFatal: (error: unknown) => void;
}

/** Where a process stands, and how its row and journal are to be continued. */
export interface Standing<State> {
  readonly state: State;
  /** 0 before the first commit. */
  readonly version: number;
  readonly createdAt: EpochMs;
  readonly journalLength: number;
}

/**
 * One process of any machine being carried out. All work on it goes through one queue; each decision is committed with
 * its journal entry before its orders begin, so that its state is what its journal folds to.
 */
export class ProcessActor<Plan, State, Event extends { readonly at: EpochMs }> {
  readonly #machine: HostedMachine<Plan, State, Event | HostEvent>;
  readonly #tools: ProcessTools<Plan, State>;
  readonly #desk: OrderDesk<Plan>;
  readonly #wall: WallWatch;
  #standing: Standing<State>;
  #queue: Promise<unknown> = Promise.resolve();
  #isTicking = false;
  #isStopped = false;

  constructor(
    machine: HostedMachine<Plan, State, Event | HostEvent>,
    standing: Standing<State>,
    tools: ProcessTools<Plan, State>,
  ) {
    this.#machine = machine;
    this.#standing = standing;
    this.#tools = tools;
    this.#wall = new WallWatch(tools.clock);
    this.#desk = new OrderDesk({
      executors: tools.executors,
      clock: tools.clock,
      log: tools.log,
      tell: (order, status) => this.#tellOrder(order, status),
      take: (order, outcome) => this.take(resultOf(order, outcome, this.#now())),
    });
  }

  get state(): State {
    return this.#standing.state;
  }

  get createdAt(): EpochMs {
    return this.#standing.createdAt;
  }

  /** Begins the orders a restart interrupted, or the process itself. */
  async resume(): Promise<void> {
    if (this.#machine.about(this.state).isPending) return this.take({ kind: "started", at: this.#now() });
    const before = this.#machine.about(this.state).awaiting;
    await this.take({ kind: "controller-restarted", at: this.#now() });
    const isAwaited = (order: Order) => this.#machine.about(this.state).awaiting.some(({ id }) => id === order.id);
    for (const order of before.filter(isAwaited)) this.#begin(order);
  }

  /** Takes one event, at the time at which its turn comes. */
  take(event: Event | HostEvent): Promise<void> {
    return this.#enqueue(() => this.#decide({ ...event, at: this.#now() }));
  }

  /** Takes what is made of the state in which its turn comes, if anything; its reply is durable in the same commit. */
  takeInState(
    make: (state: State) => { event: Event; answer: (after: State) => OperatorAnswer | undefined } | null,
  ): Promise<void> {
    return this.#enqueue(async () => {
      const made = make(this.state);
      if (made !== null) await this.#decide({ ...made.event, at: this.#now() }, made.answer);
    });
  }

  /** A look at the clock: holds and deadlines end, what failed is tried again. */
  async tick(): Promise<void> {
    if (this.#isTicking || this.#machine.isFinal(this.state)) return; // One that waits for the store is enough.
    this.#isTicking = true;
    await this.take({ kind: "tick", at: this.#now() }).finally(() => {
      this.#isTicking = false;
    });
  }

  /** Gives up orders and takes no more work; what is durable stays as it is. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#desk.close();
    await this.#queue;
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(async () => {
      if (this.#isStopped) return;
      const byMs = this.#wall.movedMs();
      // Told before anything else: a hold is lived through, whatever the wall clock says.
      if (byMs !== 0 && !this.#machine.isFinal(this.state))
        await this.#decide({ kind: "clock-moved", at: this.#now(), byMs });
      await work();
    });
    this.#queue = done.catch(() => {}); // Each caller hears of its own failure; the next one starts afresh.
    return done;
  }

  async #decide(event: Event | HostEvent, answer?: (after: State) => OperatorAnswer | undefined): Promise<void> {
    const machine = this.#machine;
    const before = this.state;
    const { state, orders, notes } = machine.step(before, event);
    if (state === before) return;
    const broken = machine.broken(state);
    if (broken.length > 0) throw new Error(`our bug, nothing was changed: ${broken.join("; ")}`);
    const { processId, generation } = machine.about(state);
    const entry = { processId, index: this.#standing.journalLength, generation, event, orders, notes };
    await this.#commit(state, { ...entry, notes: notes.map(({ text }) => text) } as Entry, answer?.(state));
    for (const note of notes) this.#tools.feed.publish(this.#tools.clock.wallMs(), note);
    this.#desk.keepOnly(machine.about(state).awaiting);
    for (const order of orders) this.#begin(order);
  }

  async #commit(state: State, entry: Entry, answer: OperatorAnswer | undefined): Promise<void> {
    const { version, createdAt, journalLength } = this.#standing;
    const next = storedForm(this.#machine, { state, version: version + 1, createdAt, journalLength });
    const expectedVersion = version === 0 ? null : version;
    const change = { process: { expectedVersion, next, entry }, ...(answer === undefined ? {} : { answer }) };
    const isStored = await this.#tools.store.commit(change).catch((error: unknown) => {
      this.#tools.onFatal(error);
      throw error;
    });
    if (!isStored) {
      const lost = lostStore(`${next.processId}, another version than ${version}`);
      this.#tools.onFatal(lost);
      throw lost;
    }
    this.#standing = { state, version: version + 1, createdAt, journalLength: journalLength + 1 };
  }

  #begin(order: Order): void {
    this.#desk.begin(order, this.#tools.orderer(this.state));
  }

  #tellOrder(order: Order, status: "started" | "done" | "failed"): void {
    const { feed, clock } = this.#tools;
    const { processId: rollout } = this.#machine.about(this.state);
    feed.publish(clock.wallMs(), { type: "order", rollout, id: order.id, order: orderName(order), status });
  }

  #now(): EpochMs {
    return epochMs(this.#tools.clock.wallMs());
  }
}

type Entry = ProcessEntry;

/** A process as it is stored. */
function storedForm<Plan, State, Event>(
  machine: HostedMachine<Plan, State, Event>,
  { state, version, createdAt }: Standing<State>,
): StoredProcess {
  const { processId, service } = machine.about(state);
  const { kind, schema } = machine;
  return { processId, kind, service, schema, state: state as unknown as Json, version, createdAt };
}

/** The state of a stored process; null when it is of another machine. @throws Error when a newer program wrote it */
export function readStored<Plan, State, Event>(
  machine: HostedMachine<Plan, State, Event>,
  { kind, schema, state, processId }: StoredProcess,
): State | null {
  if (kind !== machine.kind) return null;
  if (schema === machine.schema) return state as unknown as State;
  const found = `${kind} ${processId} was stored in form ${schema}, this program knows ${machine.schema}`;
  throw new Error(`${found}; start the version that wrote it, or restore a backup from before`);
}

function resultOf(order: Order, outcome: Outcome, at: EpochMs): HostEvent {
  const of = { at, orderId: order.id, order: orderName(order) };
  if (outcome.kind === "failed") return { kind: "order-failed", ...of, code: outcome.code, message: outcome.message };
  const { verdicts, pinned } = outcome;
  return { kind: "order-done", ...of, verdicts, ...(pinned === undefined ? {} : { pinned }) };
}
