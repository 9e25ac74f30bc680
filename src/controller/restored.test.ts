import { afterEach, describe, expect, it } from "vitest";
import { shortPlan, World } from "../../test/controller/world.ts";
import { traffic, watch } from "../../test/builders.ts";
import { memoryStore } from "../drivers/store/memory/index.ts";
import type { ControllerStore } from "../ports/controller-store.ts";

const held = (over = {}) => shortPlan({ leaseMs: 3_000, stages: [traffic(20, 600_000), watch()], ...over });
const abort = { command: "abort", full: false, by: "ann", reason: "" } as const;

/** The same store as of now, as a copied folder would be: it knows nothing of what the first one does from here on. */
async function copyOf(store: ControllerStore): Promise<ControllerStore> {
  const copy = memoryStore();
  const { store: identity } = await store.own("never");
  await copy.own(identity);
  for (const next of await store.rollouts()) {
    const journal = await store.journal(next.rollout.plan.rolloutId);
    await copy.commit({ rollout: { expectedVersion: null, next }, journal });
  }
  for (const next of await store.published()) await copy.commit({ published: { expected: null, next } });
  await copy.commit({ planes: await store.planes() });
  return copy;
}

let world: World;
afterEach(() => world.controller.stop());

/** A controller at 20 %, and a copy of its store from that moment. */
async function withCopy(): Promise<ControllerStore> {
  world = await new World().open();
  await world.run(2);
  await world.controller.apply(held());
  await world.run(8);
  await world.controller.stop();
  const copy = await copyOf(world.store);
  await world.open();
  await world.run(2);
  return copy;
}

describe("a controller on an older copy of its database", () => {
  it("is heard above everything that was published since the copy", async () => {
    const copy = await withCopy();
    await world.controller.command("support-rag-7", abort);
    await world.run(8);
    await world.controller.stop();
    const { epoch } = world.gateway.document;
    await world.open((options) => ({ ...options, store: copy }));
    await world.run(8);
    expect([world.phase, world.gateway.document.epoch]).toEqual(["progressing", epoch]);
    await world.controller.command("support-rag-7", abort);
    await world.run(8);
    expect([world.phase, world.gateway.document.candidateBp]).toEqual(["aborted", 0]);
    expect(world.gateway.document.epoch).toBeGreaterThan(epoch);
  });

  it("says aborted of a gateway that is cut off since no sooner than one lease after its own start", async () => {
    const copy = await withCopy();
    await world.controller.stop();
    world.isGatewayAlive = false;
    await world.open((options) => ({ ...options, store: copy }));
    await world.controller.command("support-rag-7", abort);
    await world.run(6);
    expect(world.phase).toBe("rolling-back");
    await world.run(8);
    expect(world.phase).toBe("aborted");
  });

  it("judges nobody by traffic under documents that it has forgotten", async () => {
    const copy = await withCopy();
    await world.controller.command("support-rag-7", abort);
    await world.run(8);
    await world.controller.apply(held({ rolloutId: "support-rag-8" }));
    await world.run(8);
    expect(world.gateway.document.rolloutId).toBe("support-rag-8");
    await world.controller.stop();
    await world.open((options) => ({ ...options, store: copy }));
    const before = world.stored?.observations.totals;
    world.gateway.failureShare = 1;
    await world.run(20);
    expect(world.phase).toBe("progressing");
    expect(world.stored?.observations.totals.requests).toEqual(before?.requests);
  });
});
