import { isFinal } from "../core/rollout/rollout.ts";
import type { Clock } from "../ports/clock.ts";
import type { ControllerStore, OperatorAnswer, PrunedRollout, StoredRollout } from "../ports/controller-store.ts";
import type { EventFeed } from "./event-feed.ts";
import type { Roster } from "./roster.ts";

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
  readonly actors: Roster;
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
  rollouts: readonly StoredRollout[],
  needed: ReadonlySet<string>,
  { olderThanMs, keep }: Omit<PruneOrder, "by">,
  nowMs: number,
): readonly StoredRollout[] {
  const endOf = ({ rollout }: StoredRollout) => rollout.endedAt ?? nowMs;
  const ended = rollouts.filter(({ rollout }) => isFinal(rollout)).sort((a, b) => endOf(b) - endOf(a));
  const seen = new Map<string, number>();
  const beyond = ended.filter(({ rollout: { plan } }) => {
    const before = seen.get(plan.service) ?? 0;
    seen.set(plan.service, before + 1);
    return before >= keep;
  });
  const isOld = (stored: StoredRollout) => nowMs - endOf(stored) >= olderThanMs;
  return beyond.filter((stored) => isOld(stored) && !needed.has(stored.rollout.plan.rolloutId)).reverse();
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
  plan(order: Omit<PruneOrder, "by">): readonly StoredRollout[] {
    const { actors, needed, clock } = this.#tools;
    const rollouts = actors.all().map(({ stored }) => stored);
    return prunable(rollouts, needed(), order, clock.wallMs());
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
    for (const { rollout } of this.plan(order)) {
      const left = await this.#tools.inTurn(() => this.#remove(rollout.plan.rolloutId, order));
      if (left !== null) removed.push(left);
    }
    await this.#tools.store.commit({ answer: answering(removed) });
    return removed;
  }

  async #remove(rolloutId: string, order: PruneOrder): Promise<PrunedRollout | null> {
    const { actors, store, restore } = this.#tools;
    const actor = actors.get(rolloutId);
    if (actor === undefined || !this.plan(order).some(({ rollout }) => rollout.plan.rolloutId === rolloutId))
      return null;
    actors.delete(rolloutId); // Before it is waited for: nobody may order anything of it meanwhile.
    await actor.stop();
    const { stored } = actor;
    const left = this.#leftOf(stored, order.by);
    try {
      const isRemoved =
        isFinal(stored.rollout) && (await store.commit({ pruned: { expectedVersion: stored.version, left } }));
      if (!isRemoved) {
        await restore(stored);
        return null;
      }
    } catch (error) {
      await restore(stored);
      throw error;
    }
    this.#tell(left);
    return left;
  }

  #leftOf({ rollout }: StoredRollout, by: string): PrunedRollout {
    const { plan, phase, endedAt } = rollout;
    const { rolloutId, service, generation } = plan;
    const at = this.#tools.clock.wallMs();
    return { rolloutId, service, generation, phase, endedAt: endedAt ?? at, at, by };
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
