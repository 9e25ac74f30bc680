import { assert } from "../core/assert.ts";
import type { Effect } from "../core/rollout/effect.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import type { RolloutPlan } from "../core/stage/plan.ts";
import type { Clock } from "../ports/clock.ts";
import type { ControllerStore, PublishedDocument } from "../ports/controller-store.ts";
import { DriverError } from "../ports/driver-error.ts";
import { nextDocument } from "./routing-document.ts";

type SetSplit = Extract<Effect, { kind: "set-split" }>;

/**
 * The published document of each service; the only place that numbers documents. Orders are published one after
 * another: an order that was given up while another one is being stored must neither overtake nor trip its successor.
 */
export class DocumentLedger {
  readonly #store: ControllerStore;
  readonly #clock: Clock;
  readonly #published = new Map<string, PublishedDocument>();
  /** Epoch of the first document of a rollout's generation that this process published or found again. */
  readonly #firstEpochs = new Map<string, number>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(store: ControllerStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Reads what was published before a restart. */
  async load(): Promise<readonly RoutingDocument[]> {
    for (const published of await this.#store.published()) this.#published.set(published.document.service, published);
    return [...this.#published.values()].map(({ document }) => document);
  }

  /**
   * The document of an effect: stored by compare-and-set the first time, found again every further time.
   * @throws the signal's reason when the order was given up before its turn came
   * @throws DriverError `stale-token` when a later order of the same rollout is in force
   */
  publishOnce(plan: RolloutPlan, effect: SetSplit, signal: AbortSignal): Promise<RoutingDocument> {
    const published = this.#queue.then(() => this.#publishOnce(plan, effect, signal));
    this.#queue = published.catch(() => {}); // Each caller hears of its own failure; the next one starts afresh.
    return published;
  }

  /** The document in force; null before the first one. */
  current(service: string): RoutingDocument | null {
    return this.#published.get(service)?.document ?? null;
  }

  /** Epoch of the plan's first document; null when this process has published none of it. */
  firstEpoch({ rolloutId, generation }: RolloutPlan): number | null {
    return this.#firstEpochs.get(`${rolloutId}/${generation}`) ?? null;
  }

  #remember(plan: RolloutPlan, published: PublishedDocument): RoutingDocument {
    const key = `${plan.rolloutId}/${plan.generation}`;
    this.#published.set(plan.service, published);
    this.#firstEpochs.set(key, this.#firstEpochs.get(key) ?? published.document.epoch);
    return published.document;
  }

  async #publishOnce(plan: RolloutPlan, effect: SetSplit, signal: AbortSignal): Promise<RoutingDocument> {
    const previous = this.#published.get(plan.service) ?? null;
    if (previous?.effectId === effect.id) return this.#remember(plan, previous);
    signal.throwIfAborted();
    if (previous !== null && isSuperseded(effect.id, previous.effectId)) {
      throw new DriverError("stale-token", "never", `${effect.id} was superseded by ${previous.effectId}`);
    }
    const document = nextDocument(plan, effect, previous?.document ?? null, this.#clock.wallMs());
    const next: PublishedDocument = { document, effectId: effect.id };
    const isStored = await this.#store.commit({ published: { expected: previous?.document ?? null, next } });
    assert(isStored, `nobody else publishes documents of ${plan.service} while this process owns the store`);
    return this.#remember(plan, next);
  }
}

/** True when both ids `rollout/generation/index` are of one rollout and `id` was ordered before `published`. */
function isSuperseded(id: string, published: string): boolean {
  const [rolloutId, generation, index] = parts(id);
  const [publishedRolloutId, publishedGeneration, publishedIndex] = parts(published);
  if (rolloutId !== publishedRolloutId) return false;
  return generation < publishedGeneration || (generation === publishedGeneration && index < publishedIndex);
}

function parts(id: string): readonly [rolloutId: string, generation: number, index: number] {
  const [index = "", generation = "", ...rolloutId] = id.split("/").reverse();
  return [rolloutId.reverse().join("/"), Number(generation), Number(index)];
}
