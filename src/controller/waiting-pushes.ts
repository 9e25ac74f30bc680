import type { TelemetryWindow } from "../core/window/window.ts";

/** What goes together with the next turn. */
interface Gathering {
  readonly windows: TelemetryWindow[];
  readonly done: Promise<void>;
}

/**
 * Windows that wait for their turn at a rollout: those of all pushes that came meanwhile are folded one after another
 * and committed once. Each push resolves when that is durable.
 */
export class WaitingPushes {
  readonly #inTurn: (work: () => Promise<void>) => Promise<void>;
  readonly #take: (windows: readonly TelemetryWindow[]) => Promise<void>;
  #next: Gathering | null = null;

  /** @param inTurn runs work when its turn has come, and resolves with it */
  constructor(
    inTurn: (work: () => Promise<void>) => Promise<void>,
    take: (windows: readonly TelemetryWindow[]) => Promise<void>,
  ) {
    this.#inTurn = inTurn;
    this.#take = take;
  }

  add(windows: readonly TelemetryWindow[]): Promise<void> {
    this.#next ??= this.#begin();
    this.#next.windows.push(...windows);
    return this.#next.done;
  }

  #begin(): Gathering {
    const windows: TelemetryWindow[] = [];
    const done = this.#inTurn(() => {
      this.#next = null; // What comes from now on waits for the next turn.
      return this.#take(windows);
    });
    return { windows, done };
  }
}
