import { isFinal } from "../core/rollout/rollout.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  ControllerStore,
  EndedRollout,
  OperatorAnswer,
  PrunedRollout,
  StoredRollout,
} from "../ports/controller-store.ts";
import type { EventFeed } from "./event-feed.ts";
import type { Archive } from "./archive.ts";

/** Which ended rollouts go. */
export interface PruneOrder {
  /** Those that ended longer ago. */
  readonly olderThanMs: number;
  /** So many of each service stay, the last ones that ended. */
  readonly keep: number;
  readonly by: string;
}

interface PruningTools {
  readonly store: ControllerStore;
  readonly clock: Clock;
  readonly feed: EventFeed;
  readonly log: (line: string) => void;
  readonly archive: Archive;
  /** Makes an actor of a rollout again. */
  readonly restore: (stored: StoredRollout) => Promise<void>;
  /** After every apply before it and before every one after it. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /** Rollouts that a pointer or a document in force names. */
  readonly needed: () => ReadonlySet<string>;
}

/**
 * Rollouts that an order names, the oldest end first. What runs is never among them, nor what is needed: the rollout
 * that made a service's release can still be rolled back.
 */
export function prunable(
  ended: readonly EndedRollout[],
  needed: ReadonlySet<string>,
  { olderThanMs, keep }: Omit<PruneOrder, "by">,
  nowMs: number,
): readonly EndedRollout[] {
  const seen = new Map<string, number>();
  const beyond = [...ended]
    .sort((a, b) => b.endedAt - a.endedAt)
    .filter(({ service }) => {
      const before = seen.get(service) ?? 0;
      seen.set(service, before + 1);
      return before >= keep;
    });
  const isOld = ({ endedAt }: EndedRollout) => nowMs - endedAt >= olderThanMs;
  return beyond.filter((one) => isOld(one) && !needed.has(one.rolloutId)).reverse();
}

/** Removes ended rollouts, one commit each, between the work on others. */
export class Pruning {
  readonly #tools: PruningTools;
  readonly #left = new Map<string, PrunedRollout>();

  constructor(tools: PruningTools) {
    this.#tools = tools;
  }

  /** Reads what was removed before a restart. */
  async load(): Promise<void> {
    for (const left of await this.#tools.store.pruned()) this.#left.set(left.rolloutId, left);
  }

  /** The last generation of a name that was removed; 0 for a name that never was. */
  lastGeneration(rolloutId: string): number {
    return this.#left.get(rolloutId)?.generation ?? 0;
  }

  /** What an order would remove now. */
  async plan(order: Omit<PruneOrder, "by">): Promise<readonly EndedRollout[]> {
    const { store, needed, clock } = this.#tools;
    return prunable(await store.ended(), needed(), order, clock.wallMs());
  }

  /**
   * Removes what an order names; a rollout that is needed or runs again when its turn comes stays. With `answering`
   * the reply to the sender becomes durable after the last one: asked again after a crash, the rest is removed.
   */
  async prune(
    order: PruneOrder,
    answering: (left: readonly PrunedRollout[]) => OperatorAnswer,
  ): Promise<readonly PrunedRollout[]> {
    const removed: PrunedRollout[] = [];
    for (const ended of await this.plan(order)) {
      const left = await this.#tools.inTurn(() => this.#remove(ended, order.by));
      if (left !== null) removed.push(left);
    }
    await this.#tools.store.commit({ answer: answering(removed) });
    return removed;
  }

  async #remove({ rolloutId, version }: EndedRollout, by: string): Promise<PrunedRollout | null> {
    const { archive, store, restore, needed } = this.#tools;
    if (needed().has(rolloutId)) return null;
    return archive.remove(rolloutId, async (actor) => {
      await actor?.stop();
      const stored = actor === null ? await store.rollout(rolloutId) : actor.stored;
      const left = stored === null || stored.version !== version ? null : this.#leftOf(stored, by);
      const isRemoved = async () => left !== null && store.commit({ pruned: { expectedVersion: version, left } });
      try {
        if (await isRemoved()) {
          if (left !== null) this.#tell(left);
          return left;
        }
        if (actor !== null) await restore(actor.stored);
        return null;
      } catch (error) {
        if (actor !== null) await restore(actor.stored);
        throw error;
      }
    });
  }

  #leftOf({ rollout }: StoredRollout, by: string): PrunedRollout | null {
    const { plan, phase, endedAt } = rollout;
    const { rolloutId, service, generation } = plan;
    const at = this.#tools.clock.wallMs();
    return isFinal(rollout) ? { rolloutId, service, generation, phase, endedAt: endedAt ?? at, at, by } : null;
  }

  #tell(left: PrunedRollout): void {
    const { feed, clock, log } = this.#tools;
    const { rolloutId, service, generation, phase, endedAt, by } = left;
    this.#left.set(rolloutId, left);
    const end = `${phase} ${new Date(endedAt).toISOString().slice(0, 19)}Z`;
    const text = `${by} removed rollout ${rolloutId} of ${service} (generation ${generation}, ${end}) with its journal`;
    feed.publish(clock.wallMs(), { type: "note", rollout: null, text });
    log(text);
  }
}
