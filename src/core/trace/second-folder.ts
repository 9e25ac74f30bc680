import type { ByArm } from "../arm.ts";
import { type EpochMs, epochMs } from "../unit.ts";
import type { ArmWindow } from "../window/window.ts";
import type { ArmIdentity } from "./identity.ts";
import { Second } from "./second.ts";

/** Length of a window, and how much older than the newest event one may be and still count. @source contracts.md */
export const SECOND_MS = 1_000;
const LATENESS_MS = 5_000;
/** Open seconds never span more than this: 5 s of lateness, the second in progress and the one that begins. */
const RING = 8;

/** Both arms' traffic in one closed second. */
export interface ClosedSecond {
  readonly startMs: EpochMs;
  readonly endMs: EpochMs;
  readonly arms: ByArm<ArmWindow>;
  readonly identities: ByArm<ArmIdentity>;
}

/**
 * Folds events into windows of one second by their own time. A second stays open until an event more than 5 s newer
 * than its end arrives; what belongs to a closed one is late. Memory does not depend on the number of events.
 */
export class SecondFolder {
  readonly #ring: readonly Second[] = Array.from({ length: RING }, () => new Second());
  readonly #close: (second: ClosedSecond) => void;
  /** Number of the oldest second that is open, and of the newest that has events. */
  #oldest = -1;
  #newest = -1;
  /** The second of the last event, and the times that go to it and close no other one: most events stay in it. */
  #current: Second | null = null;
  #fromMs = 0;
  #toMs = 0;

  constructor(close: (second: ClosedSecond) => void) {
    this.#close = close;
  }

  /** The second an event belongs to, after closing those it ends; null when the event is late. */
  secondOf(atMs: number): Second | null {
    if (atMs >= this.#fromMs && atMs < this.#toMs) return this.#current;
    this.#closeUpTo(Math.ceil((atMs - LATENESS_MS) / SECOND_MS) - 1);
    const number = Math.floor(atMs / SECOND_MS);
    if (number < this.#oldest) return null;
    if (number > this.#newest) this.#newest = number;
    this.#current = this.#ring[number % RING] as Second;
    this.#fromMs = atMs;
    // The first instant of a second closes one second less than all the others.
    this.#toMs = atMs === number * SECOND_MS ? atMs : (number + 1) * SECOND_MS;
    return this.#current;
  }

  /** Closes everything that is open: the trace has ended. */
  finish(): void {
    this.#closeUpTo(this.#newest + 1);
  }

  #closeUpTo(oldest: number): void {
    if (oldest <= this.#oldest) return;
    const from = this.#oldest;
    const to = Math.min(oldest, this.#newest + 1);
    this.#oldest = oldest;
    for (let number = Math.max(from, to - RING); number < to; number++) {
      const second = this.#ring[number % RING];
      if (second?.isUsed !== true) continue;
      const startMs = epochMs(number * SECOND_MS);
      this.#close({ startMs, endMs: epochMs(startMs + SECOND_MS), ...second.drain() });
    }
  }
}
