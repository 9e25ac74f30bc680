/** Counters, one for each of the hash's leading bits: units of different arms never share one at any share. */
const COUNTER_BITS = 20;
const MINUTE_MS = 60_000;
/** Requests of one unit that count as evidence in a minute. @source definitions.md §8, core/window/window.ts */
const EVIDENCE_PER_MINUTE = 20;

/**
 * Keeps one busy unit from deciding a gate: of each unit at most 20 requests a minute count. Units whose hashes share
 * their 20 leading bits share a budget, which can only leave evidence out.
 */
export class UnitBudget {
  readonly #counts = new Uint8Array(2 ** COUNTER_BITS);
  #minuteMs = 0;

  /** True when this request of the unit counts. Minutes are those of `atMs`; a clock set back starts a new one. */
  spend(hash: number, atMs: number): boolean {
    if (atMs >= this.#minuteMs + MINUTE_MS || atMs < this.#minuteMs - MINUTE_MS) this.#begin(atMs);
    const slot = hash >>> (32 - COUNTER_BITS);
    const spent = this.#counts[slot] as number;
    if (spent >= EVIDENCE_PER_MINUTE) return false;
    this.#counts[slot] = spent + 1;
    return true;
  }

  clear(): void {
    this.#counts.fill(0);
  }

  #begin(atMs: number): void {
    this.#minuteMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
    this.clear();
  }
}
