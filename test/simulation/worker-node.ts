import { Grant } from "../../src/fence/grant.ts";
import type { Asker, Leave } from "../../src/controller/grant-desk.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { EffectLaws } from "./effect-laws.ts";
import type { Network } from "./network.ts";
import { NodeClock } from "./node-clock.ts";
import type { InHand, Products } from "./products.ts";

const PRODUCE_EVERY_MS = 400;
const LOOK_EVERY_MS = 150;
/** A message is begun only where the leave lasts for it. */
const TAKES_AT_MOST_MS = 1_000;
const PATIENCE_MS = 3_000;
/** A producer reads where to write, and writes a little later. */
const WRITES_AFTER_MS = 30;

interface Question {
  readonly acting: boolean;
  readonly question: number;
}

/** Where a worker's question arrives; what is not answered nobody does. */
export type GrantEnd = (asker: Asker, answer: (leave: Leave | null) => void) => void;

export interface WorkerWorld {
  readonly clock: Clock;
  readonly network: Network;
  readonly products: Products;
  readonly laws: EffectLaws;
  readonly service: string;
  /** The process that a question which leaves now is for. */
  connect(): GrantEnd;
  /** Consumer that workers of this release are. */
  consumerOf(release: string): string;
}

interface Self {
  readonly id: string;
  readonly release: string;
  readonly role: Asker["role"];
  readonly askMs: number;
  readonly workMs: number;
}

/**
 * A worker on its machine: the product's own grant over a network that may do anything to it. A producer writes where
 * the queue's record says; a consumer takes when the record says that it acts, and settles what its effect was taken of.
 */
export class WorkerNode {
  readonly clock: NodeClock;
  readonly self: Self;
  /** Until when it has leave, by its own clock and by what it heard. */
  untilMonoMs = 0;
  #grant: Grant | null = null;
  readonly #world: WorkerWorld;
  #messages = 0;
  #hand: InHand[] = [];
  #isOver = false;

  constructor(self: Self, world: WorkerWorld) {
    this.self = self;
    this.#world = world;
    this.clock = new NodeClock(world.clock);
  }

  start(): void {
    const { release, role, id } = this.self;
    this.#grant = new Grant({
      controller: "http://controller",
      token: () => "-",
      service: this.#world.service,
      release,
      role,
      worker: id,
      clock: this.clock,
      fetch: (_, init) => this.#ask(JSON.parse(String(init?.body)) as Question),
    });
    void (role === "producer" ? this.#produce() : this.#consume());
  }

  stop(): void {
    this.#isOver = true;
  }

  /** It may act now, by what it knows; a machine that slept knows too little, and its token is refused. */
  get hasLeave(): boolean {
    return this.clock.lostMs === 0 && this.clock.monoMs() < this.untilMonoMs;
  }

  #ask({ acting, question }: Question): Promise<Response> {
    const { network, connect } = this.#world;
    const { id, release, role, askMs } = this.self;
    const askedMs = this.clock.monoMs();
    const take = connect();
    if (!acting) this.untilMonoMs = 0; // It relies on none, and has said so.
    return new Promise((resolve, reject) => {
      let isAnswered = false;
      const answered = (leave: Leave | null): void => {
        if (isAnswered) return;
        isAnswered = true;
        if (leave === null) return reject(new Error("nobody answers"));
        const { acts, holder, token, expiresInMs, reason } = leave;
        this.untilMonoMs = acts ? askedMs + expiresInMs : 0;
        resolve(Response.json({ acts, holder, token, expires_in_ms: expiresInMs, ask_again_ms: askMs, reason }));
      };
      const asker = { release, role, worker: id, isActing: acting, question };
      network.send(id, "up", () => take(asker, (leave) => network.send(id, "down", () => answered(leave))));
      void this.clock.sleep(PATIENCE_MS).then(() => answered(null));
    });
  }

  async #produce(): Promise<void> {
    const { products, laws } = this.#world;
    while (!this.#isOver) {
      await this.clock.sleep(PRODUCE_EVERY_MS);
      if (laws.isResting) continue;
      await this.#grant?.act(async (token) => {
        const to = products.pointer?.producersTo ?? laws.firstQueue;
        await this.clock.sleep(WRITES_AFTER_MS);
        const body = `${this.self.id} ${this.#messages++}`;
        if (!laws.accepts(this, token)) return;
        laws.produced(body);
        products.queue.produce(to, [body]);
      });
    }
  }

  async #consume(): Promise<void> {
    while (!this.#isOver) {
      await this.clock.sleep(LOOK_EVERY_MS);
      this.#letGo();
      for (const message of this.#hand) await this.#work(message);
      if (this.#grant?.leave() === null) this.#giveBack();
      for (const queue of this.#reads()) await this.#takeOne(queue);
    }
  }

  /** Queues that it may take from now. */
  #reads(): readonly string[] {
    const { products, laws, consumerOf } = this.#world;
    const { pointer } = products;
    if (pointer === null) return [laws.firstQueue];
    if (pointer.phase !== "acting" || pointer.consumer !== consumerOf(this.self.release)) return [];
    const queues = Object.keys(pointer.from);
    return queues.length === 0 ? [laws.firstQueue] : queues;
  }

  async #takeOne(queue: string): Promise<void> {
    const { products, consumerOf } = this.#world;
    const leave = this.#grant?.leave() ?? null;
    if (leave === null || leave.untilMonoMs - this.clock.monoMs() < TAKES_AT_MOST_MS) return;
    const consumer = consumerOf(this.self.release);
    const [number] = products.queue.take(queue, consumer, 1);
    const one = number === undefined ? products.takeReturned(queue, consumer) : { queue, number };
    if (one !== null) this.#hand.push(one);
  }

  /** Whoever may not act gives back what he has, to another worker of the same consumer. */
  #giveBack(): void {
    const { products, consumerOf } = this.#world;
    for (const one of this.#hand.splice(0)) products.giveBack(consumerOf(this.self.release), one);
  }

  /** Works on what it was given; what it may not do now it keeps, and does when it may. */
  async #work({ queue, number }: InHand): Promise<void> {
    const { products, laws, consumerOf } = this.#world;
    await this.#grant?.act(async (token) => {
      await this.clock.sleep(this.self.workMs);
      if (!laws.accepts(this, token)) return;
      this.#hand = this.#hand.filter((one) => one.number !== number || one.queue !== queue);
      if (!products.queue.settle(queue, consumerOf(this.self.release), number)) return; // Given to somebody else.
      laws.done(products.queue.bodyOf(queue, number), this);
    });
  }

  /** What another consumer is to go on with is not its own any more. */
  #letGo(): void {
    const { pointer } = this.#world.products;
    const isOther = pointer !== null && pointer.consumer !== this.#world.consumerOf(this.self.release);
    if (isOther) this.#hand = [];
  }
}
