import type { Clock } from "../ports/clock.ts";
import type { ControllerStore } from "../ports/controller-store.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { StoreHolder, StoreOwner, StoreOwnership } from "../ports/ownership.ts";

/** How long a process owns its store after it last wrote to it; half of that is how long it gives leases. */
export const OWNERSHIP_MS = 10_000;
const RENEW_MS = 1_000;

/** How a hold on a store ends that was not given up: another process has it. Expected, and the end of this one. */
export interface Superseded {
  readonly kind: "superseded";
  readonly store: string;
  /** A sentence that says who. */
  readonly text: string;
}

/** What a process says when it takes a store. */
export interface Taking {
  /** Unpredictable name, which becomes the store's identity when it has none yet. */
  readonly proposed: string;
  readonly holder?: StoreHolder | undefined;
  /** True when the owner before may still live, so that it may give leases until it hears that it lost the store. */
  readonly isLiveTakeover?: boolean | undefined;
}

/**
 * This process's hold on its store: taken once, renewed by writing, lost when another process takes the store over.
 * What it decides must be durable, so it promises nothing while it cannot write. @source definitions.md §11
 */
export class Ownership {
  readonly #store: ControllerStore;
  readonly #clock: Clock;
  readonly #taken: StoreOwnership;
  /** Leases of the owner before are counted from here, on the monotonic clock: it gave none after. */
  readonly leasesFromMonoMs: number;
  readonly #startedMonoMs: number;
  #renewedMonoMs: number;
  #triedMonoMs: number;
  #isAsking = false;
  #announcedMs = 0;
  #superseded: Superseded | null = null;
  #tellEnd: (end: Superseded) => void = () => {};
  /** Resolves when another process has the store; never where that does not happen. */
  readonly ended: Promise<Superseded> = new Promise((resolve) => {
    this.#tellEnd = resolve;
  });

  private constructor(store: ControllerStore, clock: Clock, taken: StoreOwnership, isLiveTakeover: boolean) {
    this.#store = store;
    this.#clock = clock;
    this.#taken = taken;
    this.#startedMonoMs = this.#renewedMonoMs = this.#triedMonoMs = clock.monoMs();
    // One that lives and has not heard yet promises as long as it may without a write.
    this.leasesFromMonoMs = this.#startedMonoMs + (isLiveTakeover ? OWNERSHIP_MS / 2 : 0);
  }

  static async take(store: ControllerStore, clock: Clock, taking: Taking): Promise<Ownership> {
    const taken = await store.own(taking.proposed, taking.holder);
    return new Ownership(store, clock, taken, taking.isLiveTakeover === true);
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

  /** How it was lost; null while it is held. */
  get superseded(): Superseded | null {
    return this.#superseded;
  }

  /** True while what it promises can be kept: it owns the store and has written to it lately. */
  get canPromise(): boolean {
    return this.#superseded === null && this.#clock.monoMs() - this.#renewedMonoMs <= OWNERSHIP_MS / 2;
  }

  /** Writes when it is time; one write at a time, for a store may take long to say that it is away. */
  async renew(): Promise<void> {
    const nowMs = this.#clock.monoMs();
    if (this.#superseded !== null || this.#isAsking || nowMs - this.#triedMonoMs < RENEW_MS) return;
    this.#triedMonoMs = nowMs;
    this.#isAsking = true;
    try {
      // What was announced stays on record while it may run, so that the owner after a crash counts with it too.
      const isRunning = nowMs - this.#startedMonoMs < this.announcedBeforeMs;
      const announcedMs = Math.max(this.#announcedMs, isRunning ? this.announcedBeforeMs : 0);
      if (!(await this.#store.keep(this.owner, announcedMs))) await this.check();
      else this.#renewedMonoMs = nowMs; // From before the write: it may have taken long.
    } finally {
      this.#isAsking = false;
    }
  }

  /** Makes a longer lease durable, for a planned stop. False when it could not. */
  async announce(ms: number): Promise<boolean> {
    if (!this.canPromise || !(await this.#store.keep(this.owner, ms))) return false;
    this.#announcedMs = ms;
    return true;
  }

  /** Asks who has the store, and ends the hold when it is another one. */
  async check(): Promise<Superseded | null> {
    const found = await this.#store.owner();
    return found?.owner === this.owner ? this.#superseded : this.#lose(takenText(found));
  }

  /** Ends the hold: somebody changed what this process alone may change. */
  loseToWriter(what: string): Superseded {
    return this.#lose(`another program changed the store of this controller (${what})`);
  }

  /** Gives the store up, so that whoever takes it next need not wait. */
  async release(): Promise<void> {
    if (this.#superseded === null) await this.#store.release(this.owner);
  }

  #lose(text: string): Superseded {
    if (this.#superseded !== null) return this.#superseded;
    this.#superseded = { kind: "superseded", store: this.store, text: `${text}; this one decides nothing any more` };
    this.#tellEnd(this.#superseded);
    return this.#superseded;
  }
}

function takenText(found: StoreOwner | null): string {
  if (found === null) return "another controller has taken this store over, and it holds none any more";
  const { holder, owner, store } = found;
  const who = holder.name === "" ? "" : `: ${holder.name}`;
  return `another controller has taken this store over (store ${store}, owner ${owner})${who}`;
}

/** A change that came too late: another process has the store. Nothing of it is stored. */
export function lostStore(what: string): DriverError {
  return new DriverError("stale-token", "never", what);
}
