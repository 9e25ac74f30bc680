import { isFinal } from "../core/rollout/rollout.ts";
import type { ControllerStore, StoredRollout } from "../ports/controller-store.ts";
import type { GatewayRegistry } from "./gateway-registry.ts";
import type { ServicePointers } from "./service-pointers.ts";
import type { Roster } from "./roster.ts";
import type { RolloutActor } from "./rollout-actor.ts";

/** Rollouts that are over and held in memory at most, beside those that a service needs: the last ones that ended. */
export const ENDED_HELD = 100;

interface ArchiveTools {
  readonly store: ControllerStore;
  readonly actors: Roster;
  /** Makes an actor of a rollout again. */
  readonly restore: (stored: StoredRollout) => Promise<void>;
  /** Rollouts that a pointer or a document in force names. */
  readonly needed: () => ReadonlySet<string>;
}

/** Rollouts that a service's pointer or its document in force names. */
export function neededOf(pointers: ServicePointers, hub: GatewayRegistry): ReadonlySet<string> {
  const ordering = hub.documents().map(({ rolloutId }) => rolloutId ?? "");
  return new Set([...pointers.all().map(({ since }) => since.process), ...ordering]);
}

/** Rollouts that are over: held while somebody works on them or needs them, and read again when they are asked for. */
export class Archive {
  readonly #tools: ArchiveTools;
  /** How many work on each. */
  readonly #inUse = new Map<string, number>();
  readonly #returning = new Map<string, Promise<RolloutActor | null>>();
  readonly #leaving = new Set<string>();

  constructor(tools: ArchiveTools) {
    this.#tools = tools;
  }

  /** Reads those that a start needs: what the documents in force name, and the last ones that ended. */
  async load(): Promise<void> {
    const needed = this.#tools.needed();
    const ended = (await this.#tools.store.ended()).map(({ rolloutId }) => rolloutId);
    const last = new Set(ended.slice(-ENDED_HELD));
    for (const rolloutId of ended) if (last.has(rolloutId) || needed.has(rolloutId)) await this.#get(rolloutId);
  }

  /** Works on a rollout, which is not let go meanwhile; null for one that is not known. */
  async use<T>(rolloutId: string, work: (actor: RolloutActor | null) => Promise<T>): Promise<T> {
    this.#inUse.set(rolloutId, (this.#inUse.get(rolloutId) ?? 0) + 1);
    try {
      return await work(await this.#get(rolloutId));
    } finally {
      const left = (this.#inUse.get(rolloutId) ?? 1) - 1;
      if (left === 0) this.#inUse.delete(rolloutId);
      else this.#inUse.set(rolloutId, left);
    }
  }

  /** Stores a rollout and begins it; whoever asks for it meanwhile waits for that, instead of reading it beside it. */
  async begin<T>(rolloutId: string, work: () => Promise<T>): Promise<T> {
    while (this.#returning.has(rolloutId)) await this.#returning.get(rolloutId);
    const done = work();
    const heldThen = (): RolloutActor | null => this.#tools.actors.get(rolloutId) ?? null;
    const begun = done.then(heldThen, heldThen);
    this.#returning.set(rolloutId, begun);
    return done.finally(() => this.#forget(rolloutId, begun));
  }

  /** Works on what is left of a rollout that goes for ever; nobody else gets hold of it meanwhile. */
  async remove<T>(rolloutId: string, work: (actor: RolloutActor | null) => Promise<T>): Promise<T> {
    await this.#returning.get(rolloutId);
    const { actors } = this.#tools;
    const actor = actors.get(rolloutId) ?? null;
    this.#leaving.add(rolloutId);
    actors.delete(rolloutId); // Before it is waited for: nobody may order anything of it meanwhile.
    try {
      return await work(actor);
    } finally {
      this.#leaving.delete(rolloutId);
    }
  }

  /** Lets go of those that ended before the last ones, and that nobody needs. */
  release(): void {
    const { actors, needed } = this.#tools;
    const ended = actors.all().filter(({ rollout }) => isFinal(rollout));
    if (ended.length <= ENDED_HELD) return;
    const kept = needed();
    const endOf = ({ rollout }: RolloutActor) => rollout.endedAt ?? 0;
    const older = ended.sort((a, b) => endOf(b) - endOf(a)).slice(ENDED_HELD);
    for (const { rollout } of older) {
      const { rolloutId } = rollout.plan;
      if (!kept.has(rolloutId) && !this.#inUse.has(rolloutId)) actors.delete(rolloutId);
    }
  }

  #get(rolloutId: string): Promise<RolloutActor | null> {
    const held = this.#tools.actors.get(rolloutId);
    if (held !== undefined) return Promise.resolve(held);
    const returning = this.#returning.get(rolloutId) ?? this.#read(rolloutId);
    this.#returning.set(rolloutId, returning);
    return returning.finally(() => this.#forget(rolloutId, returning));
  }

  #forget(rolloutId: string, returning: Promise<RolloutActor | null>): void {
    if (this.#returning.get(rolloutId) === returning) this.#returning.delete(rolloutId);
  }

  async #read(rolloutId: string): Promise<RolloutActor | null> {
    const { store, actors, restore } = this.#tools;
    if (this.#leaving.has(rolloutId)) return null;
    const stored = await store.rollout(rolloutId);
    const isGone = stored === null || this.#leaving.has(rolloutId);
    if (!isGone && actors.get(rolloutId) === undefined) await restore(stored);
    return actors.get(rolloutId) ?? null;
  }
}
