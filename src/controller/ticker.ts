import { isFinal } from "../core/rollout/rollout.ts";
import type { Clock } from "../ports/clock.ts";
import type { Roster } from "./roster.ts";

const TICK_MS = 250;

interface TickerTools {
  readonly clock: Clock;
  readonly log: (line: string) => void;
  readonly actors: Roster;
  /** What else is done at each tick, before the rollouts' turn. */
  readonly before: () => Promise<void>;
}

/** Lets the rollouts of a process look at the clock. */
export class Ticker {
  readonly #tools: TickerTools;
  #running = 0;

  constructor(tools: TickerTools) {
    this.#tools = tools;
  }

  /** Rollouts that are not over, as of the last tick. */
  get running(): number {
    return this.#running;
  }

  /** Ticks until it is stopped. */
  async run(stopped: AbortSignal): Promise<void> {
    const { clock, before } = this.#tools;
    while (!stopped.aborted) {
      await clock.sleep(TICK_MS, stopped);
      await before();
      if (!stopped.aborted) this.#tick();
    }
  }

  /** None waits for another: one whose commit takes long keeps nobody's clock. */
  #tick(): void {
    const { actors, log } = this.#tools;
    const running = actors.all().filter(({ rollout }) => !isFinal(rollout));
    this.#running = running.length;
    for (const actor of running)
      actor
        .tick()
        .catch((error: unknown) =>
          log(`${actor.rollout.plan.rolloutId}: tick failed, traffic stays as it is: ${String(error)}`),
        );
  }
}
