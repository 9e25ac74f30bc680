import { afterEach, describe, expect, it } from "vitest";
import { shortPlan as plan, World } from "../../test/controller/world.ts";
import { traffic, watch } from "../../test/builders.ts";
import { memoryStore } from "../drivers/store/memory/index.ts";
import type { ControllerStore } from "../ports/controller-store.ts";

const LEASE_MS = 3_000;
const held = () => plan({ leaseMs: LEASE_MS, stages: [traffic(20, 600_000), watch()] });

/** Candidate users of the next window; a window is a quarter of a second. */
const servedNow = async (world: World): Promise<number> => {
  const before = world.gateway.served.candidate;
  await world.quarter();
  return world.gateway.served.candidate - before;
};

async function atTwentyPercent(store?: ControllerStore): Promise<World> {
  const world = await new World(store).open();
  await world.run(2);
  await world.controller.apply(held());
  await world.run(8);
  expect([world.phase, await servedNow(world)]).toEqual(["progressing", 10]);
  return world;
}

let world: World;
afterEach(async () => {
  await world.controller.stop();
});

describe("the lease, between a controller and a data plane", () => {
  it("carries a rollout to its end: renewed with every push, it moves nobody", async () => {
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan({ leaseMs: LEASE_MS }));
    await world.run(60);
    expect([world.phase, world.gateway.plane.counts.leaseExpired]).toEqual(["promoted", 0]);
    expect(world.hub.current("support-rag")).toMatchObject({ version: 2, lease: null, override: "support-rag-7/1" });
  });

  it("a data plane that is cut off serves stable after one lease, and an abort ends when it can be true, not before", async () => {
    world = await atTwentyPercent();
    world.isGatewayAlive = false;
    await world.controller.command("support-rag-7", { command: "abort", full: false, by: "ann", reason: "" });
    await world.run(4);
    expect([world.phase, await servedNow(world)]).toEqual(["rolling-back", 10]);
    await world.run(8);
    expect([world.phase, await servedNow(world)]).toEqual(["aborted", 0]);
    expect(world.gateway.document.candidateBp).toBe(2_000); // It has still not heard of it.
  });

  it("is not renewed once the way back is ordered, however long its document takes", async () => {
    const inner = memoryStore();
    let isStuck = false;
    const commit: ControllerStore["commit"] = (change) =>
      isStuck && change.published !== undefined ? new Promise(() => {}) : inner.commit(change);
    world = await atTwentyPercent({ ...inner, commit });
    isStuck = true;
    await world.controller.command("support-rag-7", { command: "abort", full: false, by: "ann", reason: "" });
    await world.run(4);
    expect([world.phase, await servedNow(world)]).toEqual(["rolling-back", 10]);
    await world.run(8);
    expect([await servedNow(world), world.gateway.document.candidateBp]).toEqual([0, 2_000]);
  });

  it("without a lease an abort that a cut-off data plane cannot hear of fails, and names it", async () => {
    world = await new World().open();
    await world.run(2);
    const over = { leaseMs: null, rollbackWithinMs: 8_000, stages: [traffic(20, 600_000), watch()] };
    await world.controller.apply(plan(over));
    await world.run(8);
    world.isGatewayAlive = false;
    await world.controller.command("support-rag-7", { command: "abort", full: false, by: "ann", reason: "" });
    await world.run(60);
    expect(world.phase).toBe("rollback-failed");
    expect(world.stored?.rollout.cause?.text).toMatch(
      /the gateway g1 .*it routes by 1\.1.*may serve the candidate until it hears/,
    );
  });

  it("a restart inside the lease moves nobody", async () => {
    world = await atTwentyPercent();
    await world.controller.stop();
    await world.clock.advance(1_000);
    await world.open();
    await world.run(20);
    expect([world.phase, world.gateway.plane.counts.leaseExpired]).toEqual(["progressing", 0]);
  });

  it("a new owner does not know when the one before answered: it waits a whole lease from its own start", async () => {
    world = await atTwentyPercent();
    world.isGatewayAlive = false;
    await world.controller.stop();
    await world.open();
    await world.controller.command("support-rag-7", { command: "abort", full: false, by: "ann", reason: "" });
    await world.run(6);
    expect(world.phase).toBe("rolling-back");
    await world.run(6);
    expect([world.phase, await servedNow(world)]).toEqual(["aborted", 0]);
  });

  it("a controller whose store is down stops giving it at half of its ownership, and users are back after it", async () => {
    const inner = memoryStore();
    let isDown = false;
    const down = () => Promise.reject(new Error("no space left"));
    world = await atTwentyPercent({ ...inner, keep: (...said) => (isDown ? down() : inner.keep(...said)) });
    isDown = true;
    await world.run(14); // 4.2 s: it was written a moment before.
    expect(await servedNow(world)).toBe(10);
    await world.run(20);
    expect(await servedNow(world)).toBe(0);
    isDown = false;
    await world.run(6);
    expect(await servedNow(world)).toBe(10);
  });

  it("a deposed controller gives none, whatever still reaches it", async () => {
    const store = memoryStore();
    world = await atTwentyPercent(store);
    await store.own("another process", { id: "b", name: "process 7 on host b" });
    await world.run(20);
    expect(await servedNow(world)).toBe(0);
    const { store: identity, text } = await world.controller.superseded;
    expect(text).toBe(
      `another controller has taken this store over (store ${identity}, owner 2): process 7 on host b; ` +
        "this one decides nothing any more",
    );
    expect(world.logged.join()).not.toContain("fatal");
  });

  it("a planned stop announces a longer one: nobody moves for two minutes, and the next owner counts with it", async () => {
    world = await atTwentyPercent();
    const stopping = world.controller.announceStop();
    await world.run(5);
    await stopping;
    await world.controller.stop();
    world.isGatewayAlive = false;
    await world.run(40); // 12 s, four leases.
    expect([await servedNow(world), world.gateway.plane.counts.leaseExpired]).toEqual([10, 0]);
    await world.open();
    await world.controller.command("support-rag-7", { command: "abort", full: false, by: "ann", reason: "" });
    await world.run(40);
    expect(world.phase).toBe("rolling-back");
    await world.run(480);
    expect([world.phase, await servedNow(world)]).toEqual(["aborted", 0]);
  });

  it("jumps over an epoch that a data plane routes by, instead of taking newer for served", async () => {
    world = await new World().open();
    world.gateway.plane.adopt({ ...world.gateway.document, epoch: 40, seq: 7 });
    await world.run(2);
    await world.controller.apply(plan({ leaseMs: LEASE_MS }));
    await world.run(8);
    expect(world.gateway.document).toMatchObject({ epoch: 41, candidateBp: 2_000 });
  });
});

describe("a person's override at a data plane", () => {
  it("pauses the rollout, counts as back for a way back, and its windows are no evidence", async () => {
    world = await atTwentyPercent();
    const before = world.stored?.observations.totals.requests;
    world.gateway.plane.overrideWith("stable");
    world.gateway.failureShare = 1;
    await world.run(20);
    const { rollout, observations } = world.stored ?? {};
    expect([rollout?.paused, observations?.totals.lostWindows]).toEqual([true, 0]);
    expect([rollout?.phase, observations?.totals.requests]).toEqual(["progressing", before]);
    world.isGatewayAlive = false;
    await world.controller.command("support-rag-7", { command: "abort", full: false, by: "ann", reason: "" });
    await world.run(2);
    expect(world.phase).toBe("aborted");
  });
});

describe("a data plane that is gone", () => {
  it("keeps a way back that no lease bounds from being confirmed, until a person says that it is gone", async () => {
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan({ leaseMs: null, stages: [traffic(20, 600_000), watch()] }));
    await world.run(8);
    world.isGatewayAlive = false;
    await world.controller.command("support-rag-7", { command: "abort", full: false, by: "ann", reason: "" });
    await world.run(8);
    expect(world.phase).toBe("rolling-back");
    expect(await world.controller.planes.forget("nobody", "ann", "")).toBeNull();
    // The second gateway goes on serving, so there is somebody who confirms.
    await world.controller.planes.hear("support-rag", "g2", { epoch: 2, seq: 1 }, null);
    const gone = await world.controller.planes.forget("g1", "ann", "the rack burnt");
    expect(gone?.gone).toMatchObject({ why: "forgotten", by: "ann", reason: "the rack burnt" });
    await world.run(8);
    expect(world.phase).toBe("aborted");
    expect((await world.store.planes()).map(({ gatewayId, gone: end }) => [gatewayId, end?.why])).toEqual([
      ["g1", "forgotten"],
      ["g2", undefined],
    ]);
  });
});
