import type { Clock } from "../ports/clock.ts";
import type { ControllerStore, StoreOwnership } from "../ports/controller-store.ts";

/** How long a process owns its store after it last wrote to it; half of that is how long it gives leases. */
const OWNERSHIP_MS = 10_000;
const RENEW_MS = 1_000;

/**
 * This process's hold on its store: taken once, renewed by writing, lost when another process takes the store over.
 * What it decides must be durable, so it promises nothing while it cannot write. @source definitions.md §11
 */
export class Ownership {
  readonly #store: ControllerStore;
  readonly #clock: Clock;
  readonly #taken: StoreOwnership;
  /** When this process took the store, on the monotonic clock: leases given before it are counted from here. */
  readonly startedMonoMs: number;
  #renewedMonoMs: number;
  #triedMonoMs: number;
  #announcedMs = 0;
  #isLost = false;

  private constructor(store: ControllerStore, clock: Clock, taken: StoreOwnership) {
    this.#store = store;
    this.#clock = clock;
    this.#taken = taken;
    this.startedMonoMs = this.#renewedMonoMs = this.#triedMonoMs = clock.monoMs();
  }

  /** @param proposed unpredictable name, which becomes the store's identity when it has none yet */
  static async take(store: ControllerStore, clock: Clock, proposed: string): Promise<Ownership> {
    return new Ownership(store, clock, await store.own(proposed));
  }

  /** Identity of the store. */
  get store(): string {
    return this.#taken.store;
  }

  /** Grows with every process that takes the store. */
  get owner(): number {
    return this.#taken.owner;
  }

  /** The longest lease an owner before this one announced, in milliseconds; 0 for none beyond the documents' own. */
  get announcedBeforeMs(): number {
    return this.#taken.announcedMs;
  }

  /** Documents are numbered above it. */
  get epochFloor(): number {
    return this.#taken.epochFloor;
  }

  /** A longer lease for a planned stop; 0 while none is announced. */
  get announcedMs(): number {
    return this.#announcedMs;
  }

  /** True while what it promises can be kept: it owns the store and has written to it lately. */
  get canPromise(): boolean {
    return !this.#isLost && this.#clock.monoMs() - this.#renewedMonoMs <= OWNERSHIP_MS / 2;
  }

  /** Writes when it is time. False when another process owns the store now: this one must end. */
  async renew(): Promise<boolean> {
    const nowMs = this.#clock.monoMs();
    if (this.#isLost || nowMs - this.#triedMonoMs < RENEW_MS) return !this.#isLost;
    this.#triedMonoMs = nowMs;
    // What was announced stays on record while it may run, so that the owner after a crash counts with it too.
    const isRunning = nowMs - this.startedMonoMs < this.announcedBeforeMs;
    const announcedMs = Math.max(this.#announcedMs, isRunning ? this.announcedBeforeMs : 0);
    this.#isLost = !(await this.#store.keep(this.owner, announcedMs));
    if (!this.#isLost) this.#renewedMonoMs = nowMs; // From before the write: it may have taken long.
    return !this.#isLost;
  }

  /** Makes a longer lease durable, for a planned stop. False when it could not. */
  async announce(ms: number): Promise<boolean> {
    if (!this.canPromise || !(await this.#store.keep(this.owner, ms))) return false;
    this.#announcedMs = ms;
    return true;
  }
}
