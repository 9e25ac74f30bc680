import { expect } from "vitest";
import { orderName } from "../src/core/process/order.ts";
import type { Command } from "../src/core/rollout/event.ts";
import { brokenInvariants } from "../src/core/rollout/invariant.ts";
import type { RolloutOrder } from "../src/core/rollout/order.ts";
import { newRollout, type Rollout } from "../src/core/rollout/rollout.ts";
import { step } from "../src/core/rollout/step.ts";
import type { RolloutPlan } from "../src/core/stage/plan.ts";
import type { EpochMs } from "../src/core/unit.ts";
import type { Verdict } from "../src/core/verdict.ts";
import { aPlan, T0 } from "./builders.ts";

/** A rollout told as a story: every line is one event, every answer is checked against the invariants. */
export class Story {
  state: Rollout;
  orders: readonly RolloutOrder[] = [];

  constructor(plan: Partial<RolloutPlan> = {}) {
    this.state = newRollout(aPlan(plan));
    this.take({ kind: "started", at: T0 });
  }

  take(event: Parameters<typeof step>[1]): this {
    const next = step(this.state, event);
    this.state = next.state;
    this.orders = next.orders;
    expect(brokenInvariants(this.state)).toEqual([]);
    return this;
  }

  done(at: EpochMs, verdicts: readonly Verdict[] = []): this {
    return this.take({ kind: "order-done", at, ...this.#awaited(), verdicts });
  }

  failed(at: EpochMs, code = "unverified"): this {
    return this.take({ kind: "order-failed", at, ...this.#awaited(), code, message: "no answer" });
  }

  #awaited() {
    const [order] = this.state.awaiting;
    if (order === undefined) return { orderId: "nothing awaited", order: "nothing" };
    return { orderId: order.id, order: orderName(order) };
  }

  judged(at: EpochMs, ...verdicts: Verdict[]): this {
    return this.take({ kind: "judged", at, stageIndex: this.state.stageIndex, verdicts, hasAnsweredAlone: true });
  }

  command(at: EpochMs, command: Command, full = false): this {
    return this.take({ kind: "commanded", at, command, full, by: "ann", reason: "" });
  }
}
