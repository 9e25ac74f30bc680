/** An answer its client does not read. */
export interface StalledWrite {
  /** It keeps a connection of an endpoint from others. */
  readonly holdsConnection: boolean;
  /** Ends the client's connection. */
  cutStalled(): void;
}

/** An answer whose client reads nothing is cut after this when others wait for the connection it holds. */
const PRESSED_MS = 5_000;

/**
 * Answers that wait for their clients to read, oldest first. A client that reads a little at a time is not among them.
 */
export class StalledWrites {
  readonly #sinceMs = new Map<StalledWrite, number>();

  begin(answer: StalledWrite, nowMs: number): void {
    this.#sinceMs.set(answer, nowMs);
  }

  end(answer: StalledWrite): void {
    this.#sinceMs.delete(answer);
  }

  /**
   * Cuts what stands still for longer than `stallMs`, and sooner what others wait for.
   * @param waiting requests that wait for a connection to an endpoint
   * @returns how many were cut
   */
  cut(nowMs: number, stallMs: number, waiting: number): number {
    const stalled: StalledWrite[] = [];
    let left = waiting;
    for (const [answer, sinceMs] of this.#sinceMs) {
      const isPressed = left > 0 && answer.holdsConnection && nowMs - sinceMs >= PRESSED_MS;
      if (isPressed) left--;
      if (isPressed || nowMs - sinceMs >= stallMs) stalled.push(answer);
    }
    for (const answer of stalled) {
      this.#sinceMs.delete(answer);
      answer.cutStalled();
    }
    return stalled.length;
  }
}
