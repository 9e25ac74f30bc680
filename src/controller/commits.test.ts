import { describe, expect, it } from "vitest";
import { shortPlan, World } from "../../test/controller/world.ts";
import { traffic, watch } from "../../test/builders.ts";
import { memoryStore } from "../drivers/store/memory/index.ts";
import type { Change, ControllerStore } from "../ports/controller-store.ts";

const PLAN = shortPlan({ stages: [traffic(20, 60_000), watch(1_000)] });

/** A store that counts what is committed of rollouts. */
function counting(): { readonly store: ControllerStore; readonly changes: Change[] } {
  const [inner, changes] = [memoryStore(), [] as Change[]];
  const commit: ControllerStore["commit"] = (change) => {
    if (change.rollout !== undefined) changes.push(change);
    return inner.commit(change);
  };
  return { store: { ...inner, commit }, changes };
}

describe("what a rollout commits while it holds a share", () => {
  it("is one change a report, and none for verdicts that say the same in newer numbers", async () => {
    const { store, changes } = counting();
    const world = await new World(store).open();
    await world.run(4);
    await world.controller.apply(PLAN);
    await world.run(24);
    expect(world.phase).toBe("progressing");
    const [before, version] = [changes.length, world.stored?.version ?? 0];
    const verdicts = world.stored?.rollout.verdicts;
    await world.run(8);
    expect(changes.length - before).toBe(8);
    expect(world.stored?.version).toBe(version + 8);
    expect(world.stored?.rollout.verdicts).not.toEqual(verdicts);
    world.isGatewayAlive = false;
    await world.run(4);
    expect(changes.length - before).toBe(8);
  });

  it("is enough to say the same after a restart, one look later", async () => {
    const world = await new World().open();
    await world.run(4);
    await world.controller.apply(PLAN);
    await world.run(24);
    world.isGatewayAlive = false;
    await world.run(2);
    const said = () => world.stored?.rollout.verdicts.map(({ gate, kind, samples }) => [gate, kind, samples]);
    const before = said();
    expect(before).toContainEqual(["error-rate", "pass", { stable: 920, candidate: 230 }]);
    await world.controller.stop();
    await world.open();
    await world.clock.advance(500);
    expect(said()).toEqual(before);
  });
});
