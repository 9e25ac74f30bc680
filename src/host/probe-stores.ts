import type { ProbeRunStore } from "../ports/probe-run-store.ts";
import { memoryRunStore } from "../probe/run-store.ts";

/** Rollouts whose answers are kept at once; a service has one at a time, so this is a bound, not a budget. */
const ROLLOUTS_MAX = 16;

interface Kept {
  readonly generation: number;
  readonly store: ProbeRunStore;
}

/**
 * Answers of probes, kept apart by rollout: several run at once and none may evict another's. Answers of an earlier
 * generation are of another release and are dropped when the next one asks.
 */
export class ProbeStores {
  readonly #kept = new Map<string, Kept>();

  /** The store of one generation; the rollout that asked longest ago gives way where there are too many. */
  of(rolloutId: string, generation: number): ProbeRunStore {
    const found = this.#kept.get(rolloutId);
    const kept = found?.generation === generation ? found : { generation, store: memoryRunStore() };
    this.#kept.delete(rolloutId);
    this.#kept.set(rolloutId, kept); // Last in the order of a Map: asked most recently.
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > ROLLOUTS_MAX && oldest !== undefined) this.#kept.delete(oldest);
    return kept.store;
  }
}
