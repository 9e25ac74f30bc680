import type { Clock } from "../ports/clock.ts";

/** What a wall clock may stray from the monotonic one before it counts as set; below it nobody's hold is told apart. */
const TOLERATED_MS = 100;

/** Notices that the wall clock was set, or that the machine slept, by the clock that never jumps. */
export class WallWatch {
  readonly #clock: Clock;
  #offsetMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMs = clock.wallMs() - clock.monoMs();
  }

  /** True when there is a move to tell of. */
  get hasMoved(): boolean {
    return Math.abs(this.#clock.wallMs() - this.#clock.monoMs() - this.#offsetMs) > TOLERATED_MS;
  }

  /** By how much the wall clock has moved since the last move that was told; 0 when it has not. */
  movedMs(): number {
    const offsetMs = this.#clock.wallMs() - this.#clock.monoMs();
    const byMs = offsetMs - this.#offsetMs;
    if (Math.abs(byMs) <= TOLERATED_MS) return 0;
    this.#offsetMs = offsetMs;
    return byMs;
  }
}
