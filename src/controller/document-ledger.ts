import { assert } from "../core/assert.ts";
import type { Effect } from "../core/rollout/effect.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import type { RolloutPlan } from "../core/stage/plan.ts";
import type { Clock } from "../ports/clock.ts";
import type { ControllerStore, PublishedDocument } from "../ports/controller-store.ts";
import { nextDocument } from "./routing-document.ts";

/** The published document of each service; the only place that numbers documents. */
export class DocumentLedger {
  readonly #store: ControllerStore;
  readonly #clock: Clock;
  readonly #published = new Map<string, PublishedDocument>();

  constructor(store: ControllerStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Reads what was published before a restart. */
  async load(): Promise<readonly RoutingDocument[]> {
    for (const published of await this.#store.published()) this.#published.set(published.document.service, published);
    return [...this.#published.values()].map(({ document }) => document);
  }

  /** The document of an effect: stored by compare-and-set the first time, found again every further time. */
  async publishOnce(plan: RolloutPlan, effect: Extract<Effect, { kind: "set-split" }>): Promise<RoutingDocument> {
    const previous = this.#published.get(plan.service) ?? null;
    if (previous?.effectId === effect.id) return previous.document;
    const document = nextDocument(plan, effect, previous?.document ?? null, this.#clock.wallMs());
    const next: PublishedDocument = { document, effectId: effect.id };
    const isStored = await this.#store.commit({ published: { expected: previous?.document ?? null, next } });
    assert(isStored, `nobody else publishes documents of ${plan.service} while this process owns the store`);
    this.#published.set(plan.service, next);
    return document;
  }
}
