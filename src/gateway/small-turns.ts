import type { Clock } from "../ports/clock.ts";

/** So many tasks at a time. */
export const TASKS_A_TURN = 8;
/** Between two turns. Clients that are cut come back at once, so the pause spreads what they ask for next as well. */
export const PAUSE_MS = 4;

/**
 * Does what falls due all at once a little at a time, at most 2 000 tasks a second: whoever else waits is served in
 * between.
 */
export class SmallTurns {
  readonly #clock: Clock;
  readonly #tasks: (() => void)[] = [];
  #isTurning = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(task: () => void): void {
    this.#tasks.push(task);
    if (!this.#isTurning) void this.#turn();
  }

  async #turn(): Promise<void> {
    this.#isTurning = true;
    while (this.#tasks.length > 0) {
      for (const task of this.#tasks.splice(0, TASKS_A_TURN)) task();
      await this.#clock.sleep(PAUSE_MS);
    }
    this.#isTurning = false;
  }
}
