import type { RandomStream } from "../../src/core/stats/random.ts";
import { memoryStore } from "../../src/drivers/store/memory/index.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Change, ControllerStore } from "../../src/ports/controller-store.ts";
import { DriverError } from "../../src/ports/driver-error.ts";
import { Crash, type Life } from "../controller/life.ts";

/** How often a call takes any time at all. */
const SLOW_SHARE = 0.3;

/** The store that outlives every controller, with the faults a store may have by its port: late, or refusing. */
export class Disk {
  readonly inner = memoryStore();
  isFailing = false;
  /** Longest that a call takes. */
  delayMs = 4;
  readonly #random: RandomStream;
  readonly #onCommit: (change: Change, livedMs: number) => void;
  readonly #livedMs: () => number;

  /**
   * @param livedMs time that controllers have lived through
   * @param onCommit told of each durable change, and when it was asked for in that time
   */
  constructor(random: RandomStream, livedMs: () => number, onCommit: (change: Change, livedMs: number) => void) {
    this.#livedMs = livedMs;
    this.#random = random;
    this.#onCommit = onCommit;
  }

  /** The store as one controller process sees it; a dead one neither writes nor learns anything. */
  of(life: Life, clock: Clock): ControllerStore {
    const { inner } = this;
    const call = async <T>(work: () => Promise<T>): Promise<T> => {
      await this.#take(clock);
      if (life.isDead) throw new Crash("dead");
      if (this.isFailing) throw new DriverError("unreachable", "safe", "the store does not answer");
      const answer = await work();
      await this.#take(clock);
      if (life.isDead) throw new Crash("dead");
      return answer;
    };
    return {
      commit: (change) => {
        const livedMs = this.#livedMs();
        return call(() => life.commit(change, () => this.#commit(change, livedMs)));
      },
      own: (proposed, holder) => call(() => inner.own(proposed, holder)),
      release: (owner) => call(() => inner.release(owner)),
      owner: () => call(() => inner.owner()),
      keep: (owner, announcedMs) => call(() => inner.keep(owner, announcedMs)),
      planes: () => call(() => inner.planes()),
      rollouts: () => call(() => inner.rollouts()),
      rollout: (rolloutId) => call(() => inner.rollout(rolloutId)),
      unended: () => call(() => inner.unended()),
      ended: (service) => call(() => inner.ended(service)),
      journal: (rolloutId) => call(() => inner.journal(rolloutId)),
      published: () => call(() => inner.published()),
      processes: () => call(() => inner.processes()),
      processJournal: (processId) => call(() => inner.processJournal(processId)),
      grants: () => call(() => inner.grants()),
      pointers: () => call(() => inner.pointers()),
      pointerHistory: (service) => call(() => inner.pointerHistory(service)),
      tokens: () => call(() => inner.tokens()),
      reports: (rolloutId) => call(() => inner.reports(rolloutId)),
      units: (rolloutId) => call(() => inner.units(rolloutId)),
      answer: (key) => call(() => inner.answer(key)),
      pruned: () => call(() => inner.pruned()),
      hours: (sinceHour) => call(() => inner.hours(sinceHour)),
      close: () => Promise.resolve(),
    };
  }

  async #commit(change: Change, livedMs: number): Promise<boolean> {
    const isStored = await this.inner.commit(change);
    if (isStored) this.#onCommit(change, livedMs);
    return isStored;
  }

  async #take(clock: Clock): Promise<void> {
    if (this.#random() < SLOW_SHARE || this.delayMs > 10) await clock.sleep(Math.ceil(this.#random() * this.delayMs));
  }
}
