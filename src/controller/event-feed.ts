import type { FeedEvent } from "../contract/events.ts";

export interface NumberedEvent {
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly ts: number;
  readonly event: FeedEvent;
}

/** Events kept for those who come back with a last id. */
const KEPT = 2_000;

/** Tells listeners what happened, in order, and remembers the latest events. Slow listeners are their own problem. */
export class EventFeed {
  readonly #kept: NumberedEvent[] = [];
  readonly #listeners = new Set<(event: NumberedEvent) => void>();
  #nextId: number;

  /** @param firstId above every id of earlier processes, so that readers can come back after a restart */
  constructor(firstId: number) {
    this.#nextId = firstId;
  }

  publish(ts: number, event: FeedEvent): void {
    const numbered = { id: this.#nextId++, ts, event };
    this.#kept.push(numbered);
    if (this.#kept.length > KEPT) this.#kept.shift();
    for (const listener of this.#listeners) listener(numbered);
  }

  /** True when nothing after `lastId` is gone. */
  has(lastId: number): boolean {
    return lastId === this.#nextId - 1 || this.#kept.some(({ id }) => id === lastId);
  }

  /** Kept events after `lastId`, oldest first. */
  since(lastId: number): readonly NumberedEvent[] {
    return this.#kept.filter(({ id }) => id > lastId);
  }

  /** Returns the way to stop listening. */
  listen(listener: (event: NumberedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
