import { describe, expect, it } from "vitest";
import { after, aGate, aPlan } from "../../../test/builders.ts";
import { orderName } from "../process/order.ts";
import { type Cutover, cutoverMachine, servesNow, stepName } from "./machine.ts";
import type { CutoverPlan } from "./plan.ts";
import { sagaStepsOf, stepsOf } from "./steps.ts";

const PLACE = { driver: "fake", url: "fake://", secretFile: null };
const FULL: CutoverPlan["cutover"] = {
  index: {
    ...PLACE,
    alias: "docs_live",
    index: { stable: "docs_va", candidate: "docs_vb" },
    indexHash: { stable: null, candidate: null },
  },
  queue: {
    ...PLACE,
    queue: { stable: "jobs.blue", candidate: "jobs.green" },
    consumer: { stable: "blue", candidate: "green" },
    pointer: "jobs",
  },
  cache: { ...PLACE, namespace: { stable: "blue:", candidate: "green:" }, purge: [] },
  freezeMs: 10_000,
  holdMs: 5_000,
  stepWithinMs: 3_000,
  fromEpoch: 40,
};
const plan = (terms: Partial<CutoverPlan["cutover"]> = {}): CutoverPlan => ({
  ...aPlan({ gates: [aGate("parity")], stages: [] }),
  cutover: { ...FULL, ...terms },
});

/** Carries every order out at once, until `until` is the step in force or nothing more is asked for. */
function run(state: Cutover, until: string | null, atMs = 0): Cutover {
  for (let round = 0; round < 200; round++) {
    if (stepName(state) === until) return state;
    const [order] = state.saga.awaiting;
    const event =
      order === undefined
        ? ({ kind: "tick", at: after(atMs + round) } as const)
        : ({ kind: "order-done", at: after(atMs), orderId: order.id, order: orderName(order), verdicts: [] } as const);
    state = cutoverMachine.step(state, event).state;
    expect(cutoverMachine.broken(state)).toEqual([]);
  }
  return state;
}

const started = (terms?: Partial<CutoverPlan["cutover"]>) =>
  cutoverMachine.step(cutoverMachine.start(plan(terms)), { kind: "started", at: after(0) }).state;

describe("the steps of a cutover", () => {
  it("freeze before anything moves, drain before consumers move, move reads before writes, and unfreeze last", () => {
    expect(stepsOf(plan()).map(({ name }) => name)).toEqual([
      "compare-identity",
      "check-index",
      "clear-cache",
      "freeze-writes",
      "drain-queue",
      "swap-index",
      "move-consumers",
      "switch-producers",
      "flip-traffic",
      "move-effects",
      "purge-cache",
      "unfreeze",
      "prime-cache",
      "audit",
    ]);
    const sides = sagaStepsOf(plan()).flatMap(({ side }) => side ?? []);
    expect(sides).toEqual(["reads", "writes", "writes", "writes", "writes"]);
  });

  it("are those that a service has: traffic alone for one without index, queue, cache and effects", () => {
    const bare = plan({ index: null, queue: null, cache: null, freezeMs: null });
    expect(stepsOf({ ...bare, gates: [] }).map(({ name }) => name)).toEqual(["flip-traffic"]);
    expect(sagaStepsOf({ ...bare, gates: [] })[0]?.holdMs).toBe(5_000);
  });

  it("take back to the other arm whatever they moved, by an order of the same port", () => {
    for (const { apply, undo, side } of sagaStepsOf(plan())) {
      if (side !== null) expect(undo).not.toBeNull();
      if (undo !== null) expect(undo.port).toBe(apply.port);
      if (undo !== null && "to" in apply.args)
        expect([apply.args, undo.args]).toEqual([{ to: "candidate" }, { to: "stable" }]);
    }
  });
});

describe("a cutover as a machine", () => {
  it("orders with fencing tokens above every one before, each higher than the last", () => {
    const state = run(started(), "swap-index");
    expect(state.saga.awaiting[0]).toMatchObject({ port: "index", verb: "flip", args: { to: "candidate" } });
    expect(state.saga.awaiting[0]?.epoch).toBeGreaterThan(40);
  });

  it("goes back when effects are frozen for too long, and counts from the first order to freeze", () => {
    const frozen = run(started(), "freeze-writes", 1_000);
    expect(frozen.frozenAt).toBe(after(1_000));
    const moving = run(frozen, "move-consumers", 2_000);
    expect(cutoverMachine.step(moving, { kind: "tick", at: after(10_999) }).state.saga.phase).toBe("applying");
    const late = cutoverMachine.step(moving, { kind: "tick", at: after(11_000) }).state;
    expect(late.saga).toMatchObject({ phase: "undoing", cause: { text: "effects were frozen for longer than 10 s" } });
    expect(run(late, null, 11_000).saga.phase).toBe("returned");
  });

  it("is not frozen any more once that is lifted, however long it is held", () => {
    const held = run(started({ holdMs: 60_000 }), "audit", 1_000);
    expect(held.frozenAt).toBeNull();
    expect(run(held, null, 2_000).saga.phase).toBe("holding");
  });

  it("says who serves: stable before the flip, nobody for sure while it runs, the candidate after it", () => {
    expect(servesNow(started())).toBe("stable");
    expect(servesNow(run(started(), "flip-traffic"))).toBeNull();
    expect(servesNow(run(started(), "unfreeze"))).toBe("candidate");
  });
});
