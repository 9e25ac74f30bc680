/**
 * One thing that happened, as `watch`, the demo and the event stream tell it. Field names are snake_case on the wire.
 */
export type FeedEvent =
  | {
      readonly type: "stage";
      readonly rollout: string;
      readonly index: number;
      readonly share_bp: number;
      readonly kind: string;
    }
  | {
      readonly type: "verdict";
      readonly rollout: string;
      readonly stage: number;
      readonly gate: string;
      readonly verdict: string;
      readonly estimate: number | null;
      readonly threshold: number | null;
      readonly samples: number;
      readonly reason: string;
    }
  | {
      readonly type: "effect";
      readonly rollout: string;
      readonly id: string;
      readonly kind: string;
      readonly status: "started" | "done" | "failed";
    }
  | {
      readonly type: "split";
      readonly rollout: string;
      readonly epoch: number;
      readonly seq: number;
      readonly candidate_bp: number;
      readonly measured_bp: number | null;
    }
  | {
      readonly type: "phase";
      readonly rollout: string;
      readonly phase: string;
      readonly gate: string | null;
      readonly cause: string | null;
      /** Where to look first, when a gate stopped it. */
      readonly look_at: string | null;
    }
  | { readonly type: "note"; readonly rollout: string | null; readonly text: string };

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
