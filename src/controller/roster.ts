import { isFinal } from "../core/rollout/rollout.ts";
import type { RolloutActor } from "./rollout-actor.ts";

/** The rollouts that a process holds, by name and by service. */
export class Roster {
  readonly #byId = new Map<string, RolloutActor>();
  readonly #byService = new Map<string, Set<RolloutActor>>();

  get(rolloutId: string): RolloutActor | undefined {
    return this.#byId.get(rolloutId);
  }

  all(): readonly RolloutActor[] {
    return [...this.#byId.values()];
  }

  /** The one of a service that is not over; there is at most one. */
  runningOf(service: string): RolloutActor | null {
    for (const actor of this.#byService.get(service) ?? []) if (!isFinal(actor.rollout)) return actor;
    return null;
  }

  /** Takes the place of the one of its name. */
  add(actor: RolloutActor): void {
    const { rolloutId, service } = actor.rollout.plan;
    this.delete(rolloutId);
    this.#byId.set(rolloutId, actor);
    const ofService = this.#byService.get(service) ?? new Set();
    this.#byService.set(service, ofService.add(actor));
  }

  delete(rolloutId: string): void {
    const actor = this.#byId.get(rolloutId);
    if (actor === undefined) return;
    const { service } = actor.rollout.plan;
    this.#byId.delete(rolloutId);
    const ofService = this.#byService.get(service);
    ofService?.delete(actor);
    if (ofService?.size === 0) this.#byService.delete(service);
  }
}
