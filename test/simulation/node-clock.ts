import { epochMs, type EpochMs } from "../../src/core/unit.ts";
import { type Clock, clockBySleep } from "../../src/ports/clock.ts";

/** One machine's clocks over the world's time: its wall clock may be wrong, and the machine may stand still. */
export class NodeClock implements Clock {
  /** How far its wall clock is from the world's. */
  wallOffsetMs = 0;
  /** How much of the world's time its monotonic clock has missed while the machine was suspended. */
  lostMs = 0;
  /** It stood still, or slept, at least once. */
  hasStood = false;
  readonly timeout: Clock["timeout"];
  readonly #base: Clock;
  #standsUntilMs = 0;

  constructor(base: Clock) {
    this.#base = base;
    const sleep: Clock["sleep"] = (ms, signal) => this.sleep(ms, signal);
    this.timeout = clockBySleep({ wallMs: () => this.wallMs(), monoMs: () => this.monoMs(), sleep }).timeout;
  }

  wallMs(): EpochMs {
    return epochMs(this.#base.wallMs() + this.wallOffsetMs);
  }

  monoMs(): number {
    return this.#base.monoMs() - this.lostMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await this.#base.sleep(ms, signal);
    while (this.stands && !signal?.aborted) {
      await this.#base.sleep(this.#standsUntilMs - this.#base.monoMs(), signal);
    }
  }

  get stands(): boolean {
    return this.#base.monoMs() < this.#standsUntilMs;
  }

  /** The process is stopped for a while: both clocks run on, nothing of it does. */
  stand(ms: number): void {
    this.hasStood = true;
    this.#standsUntilMs = Math.max(this.#standsUntilMs, this.#base.monoMs() + ms);
  }

  /** The machine sleeps: the monotonic clock misses the time, the wall clock does not. */
  suspend(ms: number): void {
    this.stand(ms);
    this.lostMs += ms;
  }
}
