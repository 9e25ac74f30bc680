/** Requests that wait for a connection such as the one an answer keeps. */
export interface Behind {
  /** Of clients that hold fewer connections than the one that does not read. */
  readonly poorer: number;
  /** Of that client itself. */
  readonly own: number;
}

/** An answer its client does not read. */
export interface StalledWrite {
  /** Who waits for the connection it keeps; null when it keeps none. */
  readonly behind: Behind | null;
  /** Ends the client's connection. */
  cutStalled(): void;
}

/** An answer whose client reads nothing is cut after this when others wait for the connection it holds. */
const PRESSED_MS = 5_000;
/**
 * So many at a time make room for more requests of the very client that does not read: whoever cut all of them at once
 * would at once fill the buffers of as many again, and everybody would wait for that.
 */
const OWN_AT_A_TIME = 16;

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
   * @returns how many were cut
   */
  cut(nowMs: number, stallMs: number): number {
    const stalled: StalledWrite[] = [];
    const room = { poorer: 0, own: 0 };
    for (const [answer, sinceMs] of this.#sinceMs) {
      const stoodMs = nowMs - sinceMs;
      if (stoodMs >= stallMs || (stoodMs >= PRESSED_MS && isPressed(answer.behind, room))) stalled.push(answer);
    }
    for (const answer of stalled) {
      this.#sinceMs.delete(answer);
      answer.cutStalled();
    }
    return stalled.length;
  }
}

/** @param room what was made this time already; counts on */
function isPressed(behind: Behind | null, room: { poorer: number; own: number }): boolean {
  if (behind === null) return false;
  if (behind.poorer > room.poorer) {
    room.poorer++;
    return true;
  }
  if (behind.own <= room.own || room.own >= OWN_AT_A_TIME) return false;
  room.own++;
  return true;
}
