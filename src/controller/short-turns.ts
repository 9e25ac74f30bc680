import type { Clock } from "../ports/clock.ts";

/** So long a process works on rollouts before it looks at its clock and its connections again. */
const TURN_MS = 5;
/** What the newest piece of work counts in the mean of all. */
const NEWEST = 0.1;

/**
 * Keeps the work on many rollouts from holding up everything else: what comes at once is done a few milliseconds at a
 * time. Of work that waits for something only the part before that counts.
 */
export class ShortTurns {
  readonly #clock: Pick<Clock, "monoMs" | "sleep">;
  #spentMs = 0;
  #meanMs = 0;
  #next: Promise<void> | null = null;

  constructor(clock: Pick<Clock, "monoMs" | "sleep">) {
    this.#clock = clock;
  }

  /**
   * Begins work in this turn, or in a later one when this one was long enough.
   * @param inOrder what the work waits for once its turn has come, such as a queue: nothing waits in it before
   */
  async run<T>(work: () => Promise<T>, inOrder: (work: () => Promise<T>) => Promise<T>): Promise<T> {
    while (this.#spentMs >= TURN_MS) await (this.#next ??= this.#rest());
    const expectedMs = this.#meanMs; // It may begin after others of this turn.
    this.#spentMs += expectedMs;
    return inOrder(() => {
      const beganMs = this.#clock.monoMs();
      const done = work();
      const tookMs = this.#clock.monoMs() - beganMs;
      this.#spentMs += tookMs - expectedMs;
      this.#meanMs += (tookMs - this.#meanMs) * NEWEST;
      return done;
    });
  }

  /** Until the I/O of this turn is done, where the runtime says when; else the shortest sleep there is. */
  async #rest(): Promise<void> {
    if (typeof setImmediate === "function") await new Promise<void>((resolve) => void setImmediate(resolve));
    else await this.#clock.sleep(0);
    this.#spentMs = 0;
    this.#next = null;
  }
}
