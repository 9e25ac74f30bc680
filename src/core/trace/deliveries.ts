/** Deliveries remembered in one generation; a shipper that sends again does so soon. */
const REMEMBERED = 65_536;

/**
 * Tells an event that was delivered before from one that only looks like it. Log shippers send at least once; what came
 * twice counts once. Remembers two generations, the full one and the one being filled, so that memory is bounded: a
 * delivery repeated after more than that many others counts again.
 */
export class Deliveries {
  #filling = new Map<string, number>();
  #full = new Map<string, number>();

  /**
   * True when this delivery was seen before.
   * @param id   the event's own id, or that of its trace
   * @param atMs tells events of one trace apart; one value for all where the id is the event's own
   */
  isRepeated(id: string, atMs: number): boolean {
    const known = this.#filling.get(id) ?? this.#full.get(id);
    if (known === undefined) {
      this.#add(id, atMs);
      return false;
    }
    if (known === atMs) return true;
    // A second event of one trace: from here on each of its events is known by its time as well.
    const key = `${id}\n${atMs}`;
    if (this.#filling.has(key) || this.#full.has(key)) return true;
    this.#add(key, atMs);
    return false;
  }

  #add(key: string, atMs: number): void {
    if (this.#filling.size >= REMEMBERED) {
      this.#full = this.#filling;
      this.#filling = new Map();
    }
    this.#filling.set(key, atMs);
  }
}
