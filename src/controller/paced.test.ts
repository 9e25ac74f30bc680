import { afterEach, describe, expect, it } from "vitest";
import { shortPlan, World } from "../../test/controller/world.ts";
import { stagesOfPace } from "../core/stage/pace.ts";
import { bp } from "../core/unit.ts";
import { planPace } from "../spec/pace-document.ts";
import { statusWire } from "./status.ts";

const { pace, ladder } = planPace();
const stages = stagesOfPace({ ...ladder, lastBp: bp(5_000), soakMs: 2_000, watchMs: 1_000 }, false);
const plan = shortPlan({ pace, stages });

let world: World;
afterEach(() => world.controller.stop());

async function begun(): Promise<World> {
  world = await new World().open();
  await world.run(2);
  await world.controller.apply(plan);
  return world;
}

/** Shares adopted by the gateway, in percent and in order. */
const shares = () => world.gateway.adopted.filter(([epoch]) => epoch > 0).map(([, , share]) => share / 100);
/** What was told about a share that evidence chose. */
const told = () =>
  world.controller.feed
    .since(0)
    .flatMap(({ event }) => (event.type === "note" && event.text.includes("→") ? [event.text] : []));

describe("a paced rollout in the controller", () => {
  it("measures at the smallest share, goes on by what was measured and proven, and says why", async () => {
    await begun();
    await world.run(900);
    expect([world.phase, shares()]).toEqual(["promoted", [0.1, 1, 5, 15, 50, 100, 0]]);
    expect(told()[0]).toMatch(/^0\.1 % → 1 %: at 1[67]0 requests\/s a dead release would reach about 6 users before/);
    expect(told()).toHaveLength(4);
  });

  it("goes on after a restart as if there had been none, and shows what comes next", async () => {
    await begun();
    await world.run(110);
    await world.controller.stop();
    await world.open();
    await world.run(60);
    const { stored } = world;
    if (stored === null) throw new Error("the rollout is stored");
    const status = statusWire(stored, world.hub.current("support-rag"), [], world.clock.wallMs() as never);
    expect([shares().at(-1), status.pace]).toEqual([1, null]);
    await world.run(740);
    expect([world.phase, shares()]).toEqual(["promoted", [0.1, 1, 5, 15, 50, 100, 0]]);
  });

  it("goes back at once when a candidate fails from the share on that it was trusted with", async () => {
    await begun();
    Object.assign(world.gateway, { failureShare: 1, failsFromBp: 500 });
    await world.run(600);
    expect([world.phase, shares()]).toEqual(["rolled-back", [0.1, 1, 5, 0]]);
  });
});
