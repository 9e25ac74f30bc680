import { describe, expect, it } from "vitest";
import { randomStream } from "../../src/core/stats/random.ts";
import { memoryStore } from "../../src/drivers/store/memory/index.ts";
import type { Change, ControllerStore } from "../../src/ports/controller-store.ts";
import { Crash, Life, POINTS } from "./life.ts";
import { shortPlan, World } from "./world.ts";
import { traffic, watch } from "../builders.ts";
import type { RolloutPlan } from "../../src/core/stage/plan.ts";

/** What the store took, in order: the truth about what was published and journalled. */
class Ledger {
  readonly inner = memoryStore();
  /** Set by the test that proves the check: a store that forgets which effect published a document. */
  isForgetful = false;
  readonly published: { readonly effectId: string; readonly epoch: number; readonly seq: number }[] = [];

  async commit(change: Change): Promise<boolean> {
    const isStored = await this.inner.commit(change);
    if (isStored && change.published !== undefined) {
      const { effectId, document } = change.published.next;
      this.published.push({ effectId, epoch: document.epoch, seq: document.seq });
    }
    return isStored;
  }

  /** The store as a process of this life sees it. */
  of(life: Life): ControllerStore {
    return {
      ...this.inner,
      published: async () => {
        const found = await this.inner.published();
        return this.isForgetful ? found.map((one) => ({ ...one, effectId: "forgotten/1/0" })) : found;
      },
      commit: (change) => life.commit(change, () => this.commit(change)),
    };
  }
}

interface Story {
  readonly name: string;
  readonly plan: RolloutPlan;
  readonly failureShare: number;
  readonly failsFromBp?: number;
  readonly retreats?: number;
  readonly end: string;
}

const STORIES: readonly Story[] = [
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
async function live(story: Story, deaths: readonly number[], ledger = new Ledger()) {
  const world = new World(ledger.inner);
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

async function check(story: Story, deaths: readonly number[], forgetful = false): Promise<void> {
  const ledger = new Ledger();
  ledger.isForgetful = forgetful;
  const { world } = await live(story, deaths, ledger);
  const told = `${story.name}, deaths at ${deaths.join(", ")}`;
  expect([told, world.phase]).toEqual([told, story.end]);
  const entries = await ledger.inner.journal("support-rag-7");
  expect(entries.map(({ index }) => index)).toEqual(entries.map((_, index) => index));
  expect([told, world.stored?.rollout.evidenceGeneration]).toEqual([told, story.retreats ?? 0]);
  const ordered = entries.flatMap(({ effects }) => effects);
  expect(new Set(ordered.map(({ id }) => id)).size).toBe(ordered.length);
  const publishedIds = ledger.published.map(({ effectId }) => effectId);
  const splits = ordered.filter(({ kind }) => kind === "set-split").map(({ id }) => id);
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

describe("a controller that dies at any point", () => {
  for (const story of STORIES) {
    it(`I6, I7, I10: carries ${story.name} to its end after one death at every point`, {
      timeout: 120_000,
    }, async () => {
      const { lives } = await live(story, []);
      const [whole] = lives as [Life];
      for (const point of POINTS) expect(whole.seen.get(point) ?? 0, point).toBeGreaterThan(0);
      for (let dieAt = 1; dieAt <= whole.passed; dieAt++) await check(story, [dieAt]);
      if (process.env["SLUICE_TEST_TALK"]) console.info(`${story.name}: ${whole.passed} points, one death each`);
    });

    it(`I20: ends ${story.name} after up to 5 deaths at seeded points, 40 times`, { timeout: 120_000 }, async () => {
      const random = randomStream(story.name.length);
      for (let run = 0; run < 40; run++) {
        await check(
          story,
          Array.from({ length: 1 + Math.floor(random() * 5) }, () => 1 + Math.floor(random() * 30)),
        );
      }
    });
  }

  it("is caught by the check when it forgets which effect published a document", async () => {
    const [healthy] = STORIES as [Story];
    const { lives } = await live(healthy, []);
    let caught = 0;
    for (let dieAt = 1; dieAt <= (lives[0]?.passed ?? 0); dieAt++) {
      await check(healthy, [dieAt], true).catch((error: unknown) => {
        if (String(error).includes("published twice")) caught++;
      });
    }
    expect(caught).toBeGreaterThan(0);
  });
});
