import { hexOf } from "../plane/digest.ts";
import type { Clock } from "../ports/clock.ts";
import type { ControllerStore } from "../ports/controller-store.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { Random } from "../ports/random.ts";
import { ownedStore, type StoreOfOwner } from "./owned-store.ts";
import { lostStore, Ownership, type Superseded, type Taking } from "./ownership.ts";

/** What a process needs to take a store. */
export interface TenureOptions {
  readonly store: ControllerStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: (line: string) => void;
  /** A store that fails cannot be worked around: the process must end and continue after a restart. */
  readonly onFatal: (error: unknown) => void;
  /** Who this process is to others that may take its store, and how it takes it; left out where nobody else can. */
  readonly taking?: Omit<Taking, "proposed"> | undefined;
}

/** The longer lease of a planned stop, and how long the stop waits for data planes to hear of it. */
export const HANDOVER_MS = 120_000;
const HANDOVER_WAIT_MS = 1_000;

/** The time in which one process decides over a store: from taking it to giving it up or losing it. */
export class Tenure {
  readonly ownership: Ownership;
  /** The store as this process may write to it. */
  readonly store: StoreOfOwner;
  readonly #options: TenureOptions;
  readonly #stopped: AbortController;

  private constructor(options: TenureOptions, ownership: Ownership, stopped: AbortController) {
    const { store, clock, log } = options;
    this.#options = options;
    this.ownership = ownership;
    this.#stopped = stopped;
    this.store = ownedStore(store, ownership, { clock, log, stopped: stopped.signal });
    void ownership.ended.then(() => stopped.abort());
  }

  static async begin(options: TenureOptions): Promise<Tenure> {
    const taking = { ...options.taking, proposed: hexOf(options.random.bytes(16)) };
    return new Tenure(options, await Ownership.take(options.store, options.clock, taking), new AbortController());
  }

  /** What everything that writes in this time works with. */
  get tools(): Pick<TenureOptions, "store" | "onFatal"> {
    return { store: this.store, onFatal: (error) => this.#fail(error) };
  }

  /** Aborts when nothing is to be decided any more. */
  get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  /** Resolves when another process has taken the store. */
  get superseded(): Promise<Superseded> {
    return this.ownership.ended;
  }

  /** @throws DriverError when nothing new can be decided: what waits for a store that is away must not grow */
  demand(): void {
    this.demandHeld();
    const { outage } = this.store;
    if (outage !== null) throw new DriverError("unreachable", "safe", outage.message, outage);
  }

  /**
   * The outcome of work that may wait for the store, or an error as soon as it would: the work goes on, and whoever
   * sent it sends it again.
   */
  async unlessAway(work: Promise<void>): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const ignore = this.store.whenAway(reject);
      work.then(resolve, reject).finally(ignore);
    });
    this.demandHeld();
  }

  /** @throws DriverError when the store was lost, so that work which was given up meanwhile is not taken for done */
  demandHeld(): void {
    if (this.ownership.superseded !== null) throw lostStore(this.ownership.superseded.text);
  }

  /** Ends all work, also that which waits for the store. */
  stop(): void {
    this.#stopped.abort();
  }

  /** Beside the tick: a store that hangs must not stop the clock of rollouts. */
  async renew(): Promise<void> {
    await this.ownership.renew().catch((error: unknown) => {
      const isSaid = this.store.outage === error;
      if (!isSaid)
        this.#options.log(`the store cannot be written, leases are not renewed while it lasts: ${String(error)}`);
    });
  }

  /**
   * Announces a longer lease to every data plane that reports within a second, so that nobody moves while this process
   * is away. Durable before the first answer; the documents' own lease counts again with the next owner's answers.
   */
  async announceStop(): Promise<void> {
    if (!(await this.ownership.announce(HANDOVER_MS).catch(() => false))) return;
    const { clock, log } = this.#options;
    log(`planned stop: data planes that report now keep their share for ${HANDOVER_MS / 1_000} s`);
    await clock.sleep(HANDOVER_WAIT_MS, this.stopped);
  }

  /** Gives the store up; the caller closes it. */
  async end(): Promise<void> {
    await this.ownership.release().catch((error: unknown) => {
      this.#options.log(`the store could not be given up, the next controller waits to take it: ${String(error)}`);
    });
  }

  /** A change that came too late is the end of the hold on the store; any other failure is the host's. */
  #fail(error: unknown): void {
    const isLate = error instanceof DriverError && error.code === "stale-token";
    if (isLate) this.ownership.loseToWriter(error.message);
    else if (this.ownership.superseded === null) this.#options.onFatal(error);
  }
}
