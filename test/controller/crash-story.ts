import { expect } from "vitest";
import type { Change, ControllerStore } from "../../src/ports/controller-store.ts";
import { Crash, Life } from "./life.ts";
import { type Place, quiet } from "./places.ts";
import { shortPlan, World } from "./world.ts";
import { traffic, watch } from "../builders.ts";
import type { RolloutPlan } from "../../src/core/stage/plan.ts";

/** What the store took, in order: the truth about what was published and journalled. */
class Ledger {
  readonly inner: ControllerStore;
  /** Set by the test that proves the check: a store that forgets which effect published a document. */
  isForgetful = false;
  readonly published: { readonly orderId: string; readonly epoch: number; readonly seq: number }[] = [];

  readonly #place: Place;
  readonly #quiet: (store: ControllerStore) => ControllerStore;

  constructor(place: Place, quiet: (store: ControllerStore) => ControllerStore) {
    this.#place = place;
    this.#quiet = quiet;
    this.inner = quiet(place.open());
  }

  async #commit(store: ControllerStore, change: Change): Promise<boolean> {
    const isStored = await store.commit(change);
    if (isStored && change.published !== undefined) {
      const { orderId, document } = change.published.next;
      this.published.push({ orderId, epoch: document.epoch, seq: document.seq });
    }
    return isStored;
  }

  /** The store as a process of this life sees it. */
  of(life: Life): ControllerStore {
    const store = this.#quiet(this.#place.open());
    return {
      ...store,
      published: async () => {
        const found = await store.published();
        return this.isForgetful ? found.map((one) => ({ ...one, orderId: "forgotten/1/0" })) : found;
      },
      commit: (change) => life.commit(change, () => this.#commit(store, change)),
    };
  }
}

export interface Story {
  readonly name: string;
  readonly plan: RolloutPlan;
  readonly failureShare: number;
  readonly failsFromBp?: number;
  readonly retreats?: number;
  readonly end: string;
}

export const STORIES: readonly Story[] = [
  { name: "a healthy candidate", plan: shortPlan(), failureShare: 0, end: "promoted" },
  { name: "a failing candidate", plan: shortPlan(), failureShare: 1, end: "rolled-back" },
  {
    name: "a candidate that fails the second stage twice",
    plan: shortPlan({ stages: [traffic(8, 500), traffic(20, 3_000), watch(1_000)], onFail: { to: "previous-stage" } }),
    failureShare: 1,
    failsFromBp: 1_000,
    retreats: 1,
    end: "rolled-back",
  },
];

/** Carries one story out with a process that dies at the given numbers of passed points, one life after another. */
export async function live(story: Story, deaths: readonly number[], place: Place, forgetful = false) {
  await place.empty();
  const { settle, watched } = quiet();
  const ledger = new Ledger(place, watched);
  ledger.isForgetful = forgetful;
  const world = new World(ledger.inner, undefined, place.isReal ? settle : undefined);
  const lives: Life[] = [];
  const begin = async (): Promise<void> => {
    for (;;) {
      const dieAt = deaths[lives.length];
      const life = new Life((_, passed) => passed === dieAt);
      lives.push(life);
      const isOpen = await world
        .open((options) => life.wrap(options, ledger.of(life)))
        .then(
          () => true,
          (error: unknown) => {
            if (error instanceof Crash) return false; // It died while it started; the next one continues.
            throw error;
          },
        );
      if (isOpen && !life.isDead) return;
    }
  };
  await begin();
  await world.run(2);
  world.gateway.failureShare = story.failureShare;
  world.gateway.failsFromBp = story.failsFromBp ?? 0;
  for (let quarter = 0; quarter < 160 && world.phase !== story.end; quarter++) {
    const isAccepted = (await ledger.inner.rollouts()).length > 0;
    if (!isAccepted) await world.controller.apply(story.plan).catch(() => {}); // The operator tries again.
    await world.quarter();
    if (lives.at(-1)?.isDead) {
      await world.controller.stop().catch(() => {});
      await begin();
    }
  }
  await world.run(2);
  await world.controller.stop();
  return { world, ledger, lives };
}

/** Lives a story through and checks what the store took of it. */
export async function check(story: Story, deaths: readonly number[], place: Place, forgetful = false): Promise<void> {
  const { world, ledger } = await live(story, deaths, place, forgetful);
  const told = `${story.name}, deaths at ${deaths.join(", ")}`;
  expect([told, world.phase]).toEqual([told, story.end]);
  const entries = await ledger.inner.journal("support-rag-7");
  expect(entries.map(({ index }) => index)).toEqual(entries.map((_, index) => index));
  expect([told, world.stored?.rollout.evidenceGeneration]).toEqual([told, story.retreats ?? 0]);
  const ordered = entries.flatMap(({ orders }) => orders);
  expect(new Set(ordered.map(({ id }) => id)).size).toBe(ordered.length);
  const publishedIds = ledger.published.map(({ orderId }) => orderId);
  const splits = ordered.filter(({ port }) => port === "traffic").map(({ id }) => id);
  expect(new Set(publishedIds).size, `${told}: nothing is published twice`).toBe(publishedIds.length);
  expect(
    publishedIds.filter((id) => !splits.includes(id)),
    `${told}: nothing is published that was not journalled`,
  ).toEqual([]);
  expect(publishedIds.at(-1), `${told}: the last order is published`).toBe(splits.at(-1));
  const numbers = ledger.published.map(({ epoch, seq }) => epoch * 1_000 + seq);
  expect(numbers, `${told}: documents only go forward`).toEqual([...numbers].sort((a, b) => a - b));
  const counted = world.stored?.observations.totals.requests.candidate;
  expect(counted, `${told}: every candidate request counts once`).toBe(world.gateway.served.candidate);
}
