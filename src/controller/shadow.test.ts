import { afterEach, describe, expect, it } from "vitest";
import { aGate, aShadowOrder, traffic, watch } from "../../test/builders.ts";
import { shortPlan, World } from "../../test/controller/world.ts";
import { shadowErrors } from "../core/judge/shadow/shadow-errors.ts";
import type { RolloutPlan, ShadowStage } from "../core/stage/plan.ts";
import { statusWire } from "./status.ts";

const STAGE: ShadowStage = { kind: "shadow", holdMs: 2_000, capMs: 600_000, onCap: "wait" };
const BASE = shortPlan();
const plan = (over: Partial<ShadowStage> = {}): RolloutPlan => ({
  ...BASE,
  stages: [{ ...STAGE, ...over }, traffic(20, 3_000), watch(1_000)],
  gates: [aGate("shadow-errors", { ...shadowErrors.defaults }), ...BASE.gates],
  shadow: aShadowOrder(),
});

let world: World;
afterEach(() => world.controller.stop());

async function begun(rollout: RolloutPlan, failureShare = 0): Promise<World> {
  world = await new World().open();
  world.gateway.failureShare = failureShare;
  await world.run(2);
  await world.controller.apply(rollout);
  return world;
}

function status() {
  if (world.stored === null) throw new Error("the rollout is stored");
  return statusWire(world.stored, world.hub.current("support-rag"), [], world.clock.wallMs() as never);
}

describe("a rollout with a shadow", () => {
  it("copies first, and sends the first user when pairs have excluded harm", async () => {
    await begun(plan());
    await world.run(8);
    expect([status().stage.name, world.gateway.document.shadow?.shareBp]).toEqual(["shadow", 1_000]);
    expect([world.gateway.served.candidate, status().share.ordered_bp]).toEqual([0, 0]);
    expect(status().shadow?.says).toMatch(/^\d+ pairs: 0 failed on the candidate alone, 0 on stable alone/);
    expect(status().shadow?.not_known.length).toBeGreaterThan(0);
    await world.run(120);
    expect(world.phase).toBe("promoted");
    expect(status().shadow?.pairs.both_ok).toBeGreaterThanOrEqual(238);
    expect(world.gateway.document.shadow).toBeUndefined();
    expect(world.stored?.rollout.unprovenStages).toEqual([]);
  });

  it("ends with no user sent where copies fail, and says by which gate", async () => {
    await begun(plan(), 0.5);
    await world.run(60);
    expect([world.phase, world.gateway.served.candidate]).toEqual(["rolled-back", 0]);
    expect(status().cause).toMatchObject({ gate: "shadow-errors", stage: 0 });
    const told = world.controller.feed.since(0).flatMap(({ event }) => (event.type === "note" ? [event.text] : []));
    expect(told).toContain("ordered copies for the candidate, and no user");
    expect(world.gateway.document).toMatchObject({ closed: ["candidate"], candidateBp: 0 });
    expect(world.gateway.document.shadow).toBeUndefined();
  });

  it("goes on at its cap unproven where the document says so, and is not held by it later", async () => {
    await begun(plan({ capMs: 4_000, onCap: "proceed" }));
    world.gateway.requestsAWindow = 20;
    await world.run(400);
    expect([world.phase, world.stored?.rollout.unprovenStages]).toEqual(["promoted", [0]]);
  });

  it("waits for a person at its cap where no request could be copied, and says that none came", async () => {
    await begun(plan({ capMs: 4_000 }));
    world.gateway.requestsAWindow = 0;
    await world.run(60);
    expect(world.phase).toBe("waiting");
    expect(status().shadow?.says).toBe("no request came yet, so none was copied");
    expect(world.gateway.served.candidate).toBe(0);
  });

  it("keeps its pairs over a restart of the controller", async () => {
    await begun(plan());
    await world.run(8);
    const before = status().shadow?.pairs.both_ok ?? 0;
    await world.controller.stop();
    await world.open();
    await world.run(120);
    expect([before > 0, world.phase]).toEqual([true, "promoted"]);
  });
});
