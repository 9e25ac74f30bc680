import { describe, expect, it } from "vitest";
import { phaseOf } from "../../src/core/drill/machine.ts";
import { stepsHome, stepsOut } from "../../src/core/drill/steps.ts";
import { bp } from "../../src/core/unit.ts";
import { aDrillPlan } from "../a-drill.ts";
import { type DrillStory, DrillWorld } from "./drill-world.ts";

/** A worker's leave, and what a step may take beside it. */
const SAFE_WITHIN_MS = 5_000 + 10_000;

const PLAN = aDrillPlan({
  regions: aDrillPlan().regions.map((region) => ({ ...region, rebuildUrl: `http://${region.name}.test/rebuild` })),
  routing: { mode: "latency", stickMs: 0, hysteresisMs: 2_000 },
  checks: { pre: ["env_parity", "index_hash_equal"], live: ["index_hash"], post: ["contracts_equal"] },
  home: { rebuild: true, purgeCache: false, weightsBp: [bp(3_000), bp(10_000)] },
  times: { cutoverMs: 30_000, stepWithinMs: 8_000, observeMs: 600, rebuildMs: 3_000, holdMs: 600 },
});
const STEPS = [...stepsOut(PLAN), ...stepsHome(PLAN)].map(({ name }) => name);
const STORY: DrillStory = { name: "a drill that goes through", ends: "succeeded" };
const ABORTED: DrillStory = { name: "a drill that is aborted", abortsAt: "promote", ends: "returned" };

const ABSENCES_MS = [0, 12_000] as const;

function live(story: DrillStory, deaths: readonly number[], absenceMs: number): Promise<DrillWorld> {
  return new DrillWorld(story, PLAN, deaths, { absenceMs, writesIn: "us-east" }).live();
}

async function check(world: DrillWorld, told: string): Promise<void> {
  const [death] = world.taken;
  expect([told, world.overlaps, world.unpromised]).toEqual([told, 0, []]);
  const safeAfterMs = death?.safeAfterMs ?? Number.POSITIVE_INFINITY;
  expect([told, safeAfterMs, safeAfterMs <= SAFE_WITHIN_MS]).toEqual([told, safeAfterMs, true]);
  const phase = phaseOf(await world.stored());
  expect([told, phase, ["succeeded", "returned", "aborted", "away"].includes(phase)]).toEqual([told, phase, true]);
  const [grant] = await world.store.grants();
  const [own, writes] = phase === "away" ? [0, "eu-west"] : [10_000, "us-east"];
  expect([told, world.own, grant?.region, grant?.frozenUntil]).toEqual([told, own, writes, null]);
}

describe("a controller that is stopped at a boundary of a drill's journal and taken up by another one", () => {
  it.each([
    [STORY.name, STORY, 1],
    [ABORTED.name, ABORTED, 3],
  ] as const)("has one region that acts, alone, within a leave and ten seconds: %s", async (_, story, every) => {
    const whole = await live(story, [], 0);
    expect([whole.boundaries.length > 30, whole.overlaps]).toEqual([true, 0]);
    const died = new Set<string | null>();
    for (let place = 0; place < whole.boundaries.length; place += every) {
      const boundary = whole.boundaries[place] as number;
      const absenceMs = ABSENCES_MS[place % 2] as number;
      const world = await live(story, [boundary], absenceMs);
      const step = world.taken[0]?.step ?? null;
      await check(world, `death at ${boundary}, in ${step}, away ${absenceMs} ms`);
      died.add(step);
    }
    // Every step was died in, or this says nothing of it.
    if (every === 1) expect(STEPS.filter((step) => !died.has(step))).toEqual([]);
  });
});
