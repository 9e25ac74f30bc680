import { afterEach, describe, expect, it } from "vitest";
import { shortPlan, World } from "../../test/controller/world.ts";
import { traffic, watch } from "../../test/builders.ts";
import type { PlaneReport } from "../core/routing/lease.ts";
import type { RolloutPlan } from "../core/stage/plan.ts";
import { digestOf } from "../plane/digest.ts";

const SERVICE = "support-rag";
const FORGET_AFTER_MS = 6_000;
/** Quarters of the world until a silent data plane would be forgotten, with a look of the controller to spare. */
const LONG_ENOUGH = 28;
const abort = { command: "abort", full: false, by: "ann", reason: "" } as const;

let world: World;
afterEach(() => world.controller.stop());

const open = () => world.open((options) => ({ ...options, forgetAfterMs: FORGET_AFTER_MS }));

/** A second data plane says that it routes by the document in force; the first one lives on, so there is traffic. */
async function hear(over: Partial<PlaneReport> = {}): Promise<void> {
  const document = world.hub.current(SERVICE);
  if (document === null) throw new Error("nothing was published yet");
  const { epoch, seq } = document;
  const report = {
    version: 2,
    id: "p2",
    digest: digestOf(document),
    nonce: "a-nonce-of-this-test",
    leaseLeftMs: 0,
    override: null,
    refused: null,
    isLeaving: false,
    ...over,
  };
  await world.controller.planes.hear(SERVICE, "g2", { epoch, seq }, report);
}

async function at20(plan: Partial<RolloutPlan> = {}): Promise<void> {
  world = new World();
  await open();
  await world.run(2);
  await world.controller.apply(shortPlan({ leaseMs: 3_000, stages: [traffic(20, 600_000), watch()], ...plan }));
  await world.run(8);
}

const gone = () => world.controller.planes.all().find(({ gatewayId }) => gatewayId === "g2")?.gone ?? null;

describe("a data plane that is not heard of any more", () => {
  it("is forgotten after the time, journalled with who said so and why, and with it what waited for it", async () => {
    await at20();
    await hear({ leaseLeftMs: 3_000 });
    await world.run(16);
    expect(gone()).toBeNull();
    await world.run(LONG_ENOUGH - 16);
    expect(gone()).toMatchObject({
      why: "forgotten",
      by: "the controller",
      reason: expect.stringMatching(/^not heard/),
    });
    expect(world.hub.words(SERVICE).map(({ gatewayId }) => gatewayId)).toEqual(["g1"]);
    expect((await world.store.planes()).find(({ gatewayId }) => gatewayId === "g2")?.gone).not.toBeNull();
    await hear(); // It was not dead.
    expect(gone()).toBeNull();
  });

  it("is not forgotten before its lease is over, however long it is silent", async () => {
    await at20();
    await hear({ leaseLeftMs: 20_000 });
    await world.run(LONG_ENOUGH);
    expect(gone()).toBeNull();
    await world.run(40);
    expect(gone()).not.toBeNull();
  });

  it("is never forgotten while it may give users to a candidate without a lease, ended rollout or not", async () => {
    await at20({ leaseMs: null, rollbackWithinMs: 2_000 });
    await hear();
    await world.run(LONG_ENOUGH);
    expect(gone()).toBeNull();
    await world.controller.command("support-rag-7", abort);
    await world.run(LONG_ENOUGH);
    expect([world.phase, gone()]).toEqual(["rollback-failed", null]);
    await world.controller.apply(shortPlan({ rolloutId: "support-rag-8", leaseMs: 3_000 }));
    await world.run(60);
    expect(gone()).toBeNull();
    await hear(); // With the document in force, which has no candidate.
    await world.run(LONG_ENOUGH);
    expect(gone()).not.toBeNull();
  });

  it("is never forgotten with version 1, which knows no lease", async () => {
    await at20();
    await world.controller.planes.hear(SERVICE, "g2", { epoch: 1, seq: 1 }, null);
    await world.run(LONG_ENOUGH);
    expect(gone()).toBeNull();
  });

  it("is waited for anew after a restart, for the whole time", async () => {
    await at20();
    await hear();
    await world.run(16);
    await world.controller.stop();
    await open();
    await world.run(16);
    expect(gone()).toBeNull();
    await world.run(LONG_ENOUGH - 16);
    expect(gone()).not.toBeNull();
  });

  it("is not forgotten where it may serve a promotion that was taken back since", async () => {
    await at20({ stages: [traffic(20, 1_000), watch(500)] });
    await world.run(30);
    expect(world.phase).toBe("promoted");
    await hear();
    await world.controller.command("support-rag-7", { ...abort, command: "rollback" });
    await world.run(LONG_ENOUGH);
    expect([world.phase, gone()]).toEqual(["rolling-back", null]);
  });

  it("is forgotten after a promotion that it never heard of: it serves the stable from before", async () => {
    await at20({ stages: [traffic(20, 1_000), watch(500)] });
    await hear({ leaseLeftMs: 3_000 });
    await world.run(LONG_ENOUGH + 4);
    expect(world.phase).toBe("promoted");
    expect(gone()).not.toBeNull();
  });
});
