import { describe, expect, it } from "vitest";
import { shortPlan, World } from "../../test/controller/world.ts";
import { traffic } from "../../test/builders.ts";
import { memoryStore } from "../drivers/store/memory/index.ts";
import { epochMs } from "../core/unit.ts";
import type { ControllerStore } from "../ports/controller-store.ts";
import { stored } from "../testing/store-world.ts";
import { ENDED_HELD } from "./archive.ts";

const PLAN = shortPlan({ stages: [traffic(20, 60_000)] });
const MANY = ENDED_HELD + 200;

/** A store in which many rollouts lie that are over: `old-0` ended first. */
async function withEnded(count: number): Promise<ControllerStore> {
  const store = memoryStore();
  for (let index = 0; index < count; index++) {
    const next = stored(`old-${index}`, 1);
    const end = { phase: "aborted", startedAt: epochMs(index), endedAt: epochMs(index + 1) } as const;
    await store.commit({ rollout: { expectedVersion: null, next: { ...next, rollout: { ...next.rollout, ...end } } } });
  }
  return store;
}

const asked = { command: "rollback", full: false, by: "ann", reason: "" } as const;

describe("a store with many rollouts that are over", () => {
  it("is held in memory as far as its last ones, and any other is found by name", async () => {
    const world = await new World(await withEnded(MANY)).open();
    const { controller } = world;
    expect(controller.rollouts().length).toBe(ENDED_HELD);
    expect(controller.rollout("old-0")).toBe(null);
    expect(controller.rollout(`old-${MANY - 1}`)?.rollout.phase).toBe("aborted");
    expect((await controller.find("old-0"))?.rollout.endedAt).toBe(1);
    expect(await controller.find("nobody")).toBe(null);
    await world.clock.advance(250);
    expect([controller.rollout("old-0"), controller.rollouts().length]).toEqual([null, ENDED_HELD]);
    await controller.stop();
  });

  it("answers a command about one that is not in memory, and knows the generation of a document of its name", async () => {
    const world = await new World(await withEnded(MANY)).open();
    const { controller } = world;
    await world.run(4);
    expect(await controller.command("old-0", asked)).toMatchObject({ kind: "held" });
    expect(await controller.command("nobody", asked)).toEqual({ kind: "unknown" });
    const again = { ...PLAN, rolloutId: "old-1", documentDigest: "sha256:new" };
    expect(await controller.apply(again)).toMatchObject({ kind: "refused", code: "generation" });
    expect((await controller.apply({ ...again, generation: 2 })).kind).toBe("accepted");
    await world.run(12);
    expect(controller.rollout("old-1")?.rollout).toMatchObject({ phase: "progressing", plan: { generation: 2 } });
    await controller.stop();
  });

  it("loses those that are pruned, in memory or not, and keeps what a service needs", async () => {
    const world = await new World(await withEnded(MANY)).open();
    const { controller } = world;
    await world.run(4);
    await controller.apply(PLAN);
    await world.run(8);
    await controller.command(PLAN.rolloutId, { ...asked, command: "abort" });
    await world.run(8);
    expect(world.phase).toBe("aborted");
    const order = { olderThanMs: 0, keep: 0, by: "ann" };
    const answer = { key: "k", fingerprint: "f", status: 200, body: "" };
    const removed = await controller.pruning.prune(order, () => answer);
    expect(removed.length).toBe(MANY);
    expect([await controller.find("old-0"), controller.rollouts().length]).toEqual([null, 1]);
    expect(await controller.command(`old-${MANY - 1}`, asked)).toEqual({ kind: "unknown" });
    expect(world.phase).toBe("aborted"); // Its document is in force.
    await controller.stop();
  });
});
