import { describe, expect, it } from "vitest";
import type { DrillFault, Fault } from "../../src/core/drill/fault.ts";
import { phaseOf } from "../../src/core/drill/machine.ts";
import type { DrillPlan } from "../../src/core/drill/plan.ts";
import { bp } from "../../src/core/unit.ts";
import { aDrillPlan } from "../a-drill.ts";
import { type DrillCircumstances, type DrillStory, DrillWorld } from "./drill-world.ts";

const GOES: DrillStory = { name: "a drill that goes through", ends: "succeeded" };
const LEASE_MS = 5_000;
const AGENT = "http://us-east.test/faults";

function planOf(type: DrillFault["type"], fault: Fault | null, over: Partial<DrillPlan> = {}): DrillPlan {
  return aDrillPlan({
    regions: aDrillPlan().regions.map((region) => ({ ...region, rebuildUrl: `http://${region.name}.test/rebuild` })),
    routing: { mode: "latency", stickMs: 0, hysteresisMs: 2_000 },
    checks: { pre: ["env_parity", "index_hash_equal"], live: ["p95_latency", "index_hash"], post: ["contracts_equal"] },
    home: { rebuild: false, purgeCache: false, weightsBp: [bp(1_000), bp(3_000), bp(10_000)] },
    times: { cutoverMs: 30_000, stepWithinMs: 25_000, observeMs: 12_000, rebuildMs: 3_000, holdMs: 600 },
    fault: { type, fault, agentUrl: fault === null ? null : AGENT },
    ...over,
  });
}

async function live(plan: DrillPlan, deaths: readonly number[] = [], how: DrillCircumstances = {}, story = GOES) {
  const world = new DrillWorld(story, plan, deaths, { writesIn: "us-east", ...how });
  await world.live();
  const entries = await world.store.processJournal(plan.drillId);
  const verdicts = entries.flatMap(
    ({ event }) => (event as { verdicts?: { gate: string; reason: string }[] }).verdicts ?? [],
  );
  return { world, phase: phaseOf(await world.stored()), verdicts, shares: world.met.map(({ own }) => own) };
}

describe("a drill that breaks the region it leaves", () => {
  it.each([
    ["A", { kind: "brownout", delayMs: 300, errorShare: 0 }, "p95_latency"],
    ["B", { kind: "blackhole" }, "index_hash"],
    ["D", { kind: "reroute" }, null],
  ] as const)(
    "%s is broken before users leave, noticed by its check, and whole before they come home",
    async (type, fault, by) => {
      const { world, phase, verdicts, shares } = await live(planOf(type, fault));
      expect([phase, world.overlaps, world.own]).toEqual(["succeeded", 0, 10_000]);
      // One fault, kept in force by renewals for longer than its lease, and ended before the first share.
      const [begun, ended, ...more] = world.broken;
      expect([begun?.kind, ended?.kind, more]).toEqual([fault.kind, null, []]);
      expect((ended?.atMs ?? 0) - (begun?.atMs ?? 0)).toBeGreaterThan(2 * LEASE_MS);
      const [left, home] = [world.met.find(({ own }) => own === 0), world.met.find(({ own }) => own === 1_000)];
      expect([(begun?.atMs ?? 0) <= (left?.atMs ?? 0), (ended?.atMs ?? 0) <= (home?.atMs ?? 0)]).toEqual([true, true]);
      expect(verdicts.flatMap(({ gate }) => (gate.startsWith("notices_") ? [gate] : []))).toEqual(
        by === null ? [] : [`notices_${by}`],
      );
      expect(shares).toEqual([10_000, 0, 1_000, 3_000, 10_000]);
    },
  );

  it("A goes no further, and has moved nobody, when the check does not notice what was broken", async () => {
    const { world, phase, shares } = await live(planOf("A", { kind: "brownout", delayMs: 1, errorShare: 0 }));
    expect([phase, shares, world.broken.at(-1)?.kind]).toEqual(["aborted", [10_000], null]);
    expect((await world.stored()).cause?.text).toContain("notice failed");
  });

  it.each(["METRIC", "ANALYZER", "INDEX_HASH"] as const)(
    "C: another %s is refused by the contract, and home is not taken before the index is built again",
    async (field) => {
      const { world, phase, verdicts, shares } = await live(planOf("C", { kind: "skew", field }));
      expect([phase, world.rebuilt, world.overlaps]).toEqual(["succeeded", 1, 0]);
      const noticed = verdicts.find(({ gate }) => gate === "notices_contracts_equal");
      expect(noticed?.reason).toContain(`${field} is`);
      const ended = world.broken.at(-1);
      const home = world.met.find(({ own }) => own === 1_000);
      expect([ended?.kind, (ended?.atMs ?? 0) <= (home?.atMs ?? 0)]).toEqual([null, true]);
      expect(shares).toEqual([10_000, 0, 1_000, 3_000, 10_000]);
    },
  );

  it("C: a region that stays skewed after its rebuild is never taken home", async () => {
    const story: DrillStory = {
      name: "a rebuild that does nothing",
      failsAt: { step: "rebuild-follower", region: "us-east", how: "skewed" },
      ends: "away",
    };
    const { world, phase, shares } = await live(planOf("C", { kind: "skew", field: "METRIC" }), [], {}, story);
    expect([phase, shares, world.own]).toEqual(["away", [10_000, 0], 0]);
  });

  it("E walks home by the plan's shares, each after its checks, and goes back by none of them", async () => {
    const { world, phase, shares } = await live(planOf("E", null));
    expect([phase, world.broken, shares]).toEqual(["succeeded", [], [10_000, 0, 1_000, 3_000, 10_000]]);
    const failing: DrillStory = {
      name: "a share that fails",
      failsAt: { step: "observe-30", region: "us-east", how: "skewed" },
      ends: "away",
    };
    const failed = await live(planOf("E", null), [], {}, failing);
    // Out again at once, and there it stays: nothing tries its way home by itself.
    expect([failed.phase, failed.shares]).toEqual(["away", [10_000, 0, 1_000, 3_000, 0]]);
  });

  it("is whole within a lease when the controller is dead, and its successor breaks nothing again", async () => {
    const plan = planOf("B", { kind: "blackhole" });
    const whole = (await live(plan)).world;
    let died = 0;
    for (const boundary of whole.boundaries.filter((_, place) => place % 4 === 0)) {
      const { world } = await live(plan, [boundary], { absenceMs: 12_000 });
      const diedAtMs = (world.taken[0]?.takenUpAtMs ?? 0) - 12_000;
      const [begun, ended] = world.broken;
      expect([boundary, world.broken.at(-1)?.kind ?? null, world.overlaps]).toEqual([boundary, null, 0]);
      if (begun === undefined || ended === undefined || begun.atMs > diedAtMs || ended.atMs < diedAtMs) continue;
      died++;
      expect([boundary, ended.atMs - diedAtMs <= LEASE_MS + 200]).toEqual([boundary, true]);
    }
    expect(died).toBeGreaterThan(1);
  });
});
