import { describe, expect, it } from "vitest";
import { type DrillEvent, drillMachine, phaseOf } from "../../src/core/drill/machine.ts";
import { bp } from "../../src/core/unit.ts";
import { aDrillPlan } from "../a-drill.ts";
import { type DrillStory, DrillWorld } from "./drill-world.ts";

const PLAN = aDrillPlan({
  regions: aDrillPlan().regions.map((region) => ({ ...region, rebuildUrl: `http://${region.name}.test/rebuild` })),
  routing: { mode: "latency", stickMs: 0, hysteresisMs: 2_000 },
  checks: { pre: ["env_parity", "index_hash_equal"], live: ["index_hash"], post: ["contracts_equal"] },
  home: { rebuild: true, purgeCache: false, weightsBp: [bp(3_000), bp(10_000)] },
  times: { cutoverMs: 30_000, stepWithinMs: 8_000, observeMs: 600, rebuildMs: 3_000, holdMs: 600 },
});

const STORIES: readonly DrillStory[] = [
  { name: "a drill that goes through", ends: "succeeded" },
  { name: "a drill that is aborted while checks are asked", abortsAt: "env_parity", ends: "aborted" },
  { name: "a drill that is aborted while writes are frozen", abortsAt: "freeze-writes", ends: "aborted" },
  { name: "a drill that is aborted while users leave", abortsAt: "adopt", ends: "returned" },
  { name: "a drill that is aborted while a region is promoted", abortsAt: "promote", ends: "returned" },
  { name: "a drill that is aborted while it is observed", abortsAt: "observe", ends: "returned" },
  { name: "a drill that is aborted on its way home", abortsAt: "observe-30", ends: "away" },
  {
    name: "a drill to a region of another index",
    failsAt: { step: "env_parity", region: "eu-west", how: "skewed" },
    ends: "aborted",
  },
  {
    name: "a drill in which the surviving region has an incident",
    failsAt: { step: "observe", region: "eu-west", how: "unready" },
    ends: "returned",
  },
  {
    name: "a drill whose region comes home with another index",
    failsAt: { step: "rebuild-follower", region: "us-east", how: "skewed" },
    ends: "away",
  },
];

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

async function check(story: DrillStory, world: DrillWorld, deaths: readonly number[]): Promise<void> {
  const told = `${story.name}, deaths at ${deaths.join(", ")}`;
  const state = await world.stored();
  // A person's word, and an incident, may come a moment later or sooner than without a death.
  const possible = story.ends === "succeeded" ? ["succeeded"] : [story.ends, "returned", "aborted", "away"];
  const found = `${phaseOf(state)}: ${state.cause?.text}`;
  expect([told, possible.includes(phaseOf(state)), found]).toEqual([told, true, found]);
  expect([told, world.own]).toEqual([told, phaseOf(state) === "away" ? 0 : 10_000]);
  expect([told, world.overlaps]).toEqual([told, 0]);
  const entries = await world.store.processJournal(world.plan.drillId);
  const ids = entries.flatMap(({ orders }) => orders.map(({ id }) => id));
  expect([told, ids]).toEqual([told, ids.map((_, index) => `${world.plan.drillId}/1/${index}`)]);
  const folded = entries.reduce(
    (before, { event }) => drillMachine.step(before, event as unknown as DrillEvent).state,
    drillMachine.start(state.plan),
  );
  expect([told, plain(folded)]).toEqual([told, plain(state)]);
  // Never back before the hysteresis is over, and by the plan's shares alone.
  const shares = world.met.map(({ own }) => own);
  expect([told, shares.every((own) => [0, 3_000, 10_000].includes(own))]).toEqual([told, true]);
  for (const [place, { own, atMs }] of world.met.entries()) {
    const before = world.met[place - 1];
    if (before?.own === 0 && own > 0) expect([told, atMs - before.atMs >= 2_000]).toEqual([told, true]);
  }
}

describe("a drill whose process dies at any point", () => {
  it.each(STORIES.map((story) => [story.name, story] as const))(
    "ends safely with one region that acts, and its state is what its journal folds to: %s",
    async (_, story) => {
      const live = (deaths: readonly number[]) => new DrillWorld(story, PLAN, deaths).live();
      const whole = await live([]);
      await check(story, whole, []);
      expect(phaseOf(await whole.stored())).toBe(story.ends);
      const { passed } = whole.life;
      expect(passed).toBeGreaterThan(3);
      const every = Math.max(1, Math.ceil(passed / 60));
      for (let first = 1; first <= passed; first += every) await check(story, await live([first]), [first]);
      for (let first = 2; first <= passed; first += 7 * every) await check(story, await live([first, 3]), [first, 3]);
    },
  );
});
