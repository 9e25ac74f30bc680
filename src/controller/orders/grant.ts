import type { ServingArm } from "../../core/arm.ts";
import type { FreezeOrder, MoveGrantOrder, UnfreezeOrder } from "../../core/cutover/order.ts";
import type { TrafficPlan } from "../../core/stage/plan.ts";
import { epochMs } from "../../core/unit.ts";
import { freezing, moving } from "../../contract/grant-order.ts";
import { nothing } from "../../contract/order.ts";
import type { Clock } from "../../ports/clock.ts";
import type { GrantDesk } from "../grant-desk.ts";
import { A_MOMENT, DONE, type Executor, executor, type Outcome } from "./executor.ts";

export interface GrantTools {
  readonly grants: GrantDesk;
  readonly clock: Clock;
}

/** How often it is looked whether the last leave is over. */
const LOOK_EVERY_MS = 20;

const releaseOf = ({ arms }: TrafficPlan, arm: ServingArm) => arms[arm].releaseId;

/** `grant.freeze`, `grant.unfreeze` and `grant.move`: who may act on effects. */
export function grantOrders(tools: GrantTools): readonly Executor<TrafficPlan>[] {
  return [freezes(tools), unfreezes(tools), moves(tools)];
}

function freezes(tools: GrantTools): Executor<TrafficPlan> {
  const { grants, clock } = tools;
  return executor<FreezeOrder["args"], void, TrafficPlan>({
    port: "grant",
    verb: "freeze",
    args: freezing,
    retry: A_MOMENT,
    apply: (order, { plan }) =>
      grants.say(plan.service, order, plan.rolloutId, (before) => ({
        holder: before?.holder ?? releaseOf(plan, "stable"),
        frozenUntil: epochMs(clock.wallMs() + order.args.forMs),
      })),
    verify: (_, { withinMs }, { plan }, signal) =>
      untilOver(tools, plan.service, ({ role }) => role === "producer", withinMs, signal),
  });
}

function unfreezes({ grants }: GrantTools): Executor<TrafficPlan> {
  return executor<UnfreezeOrder["args"], void, TrafficPlan>({
    port: "grant",
    verb: "unfreeze",
    args: nothing,
    retry: A_MOMENT,
    apply: (order, { plan }) =>
      grants.say(plan.service, order, plan.rolloutId, (before) => ({
        holder: before?.holder ?? releaseOf(plan, "stable"),
        frozenUntil: null,
      })),
    verify: () => Promise.resolve(DONE),
  });
}

function moves(tools: GrantTools): Executor<TrafficPlan> {
  return executor<MoveGrantOrder["args"], void, TrafficPlan>({
    port: "grant",
    verb: "move",
    args: moving,
    retry: A_MOMENT,
    apply: (order, { plan }) =>
      tools.grants.say(plan.service, order, plan.rolloutId, (before) => ({
        holder: releaseOf(plan, order.args.to),
        frozenUntil: before?.frozenUntil ?? null,
      })),
    verify: (_, { withinMs, args }, { plan }, signal) =>
      untilOver(tools, plan.service, ({ release }) => release !== releaseOf(plan, args.to), withinMs, signal),
  });
}

/** Until nobody of these has a leave; what nobody can say to be over within the budget is not done. */
export async function untilOver(
  { grants, clock }: GrantTools,
  service: string,
  isOf: Parameters<GrantDesk["runsOnMs"]>[1],
  withinMs: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const deadline = clock.monoMs() + withinMs;
  for (;;) {
    const leftMs = grants.runsOnMs(service, isOf);
    if (leftMs === 0) return DONE;
    if (clock.monoMs() + leftMs > deadline) {
      const message = `leaves to act on effects of ${service} run for ${leftMs} ms more`;
      return { kind: "failed", code: "unverified", message };
    }
    await clock.sleep(Math.min(LOOK_EVERY_MS, leftMs), signal);
    signal.throwIfAborted(); // Given up: to go on would be to spin.
  }
}
