import type { FreezeWritesOrder, PromoteRegionOrder, UnfreezeWritesOrder } from "../../core/drill/order.ts";
import { epochMs } from "../../core/unit.ts";
import { nothing } from "../../contract/order.ts";
import { freezingWrites, promoting } from "../../contract/region-order.ts";
import { DriverError } from "../../ports/driver-error.ts";
import type { GrantDesk } from "../grant-desk.ts";
import type { DrillInForce } from "../../core/drill/plan.ts";
import { A_MOMENT, DONE, type Executor, executor } from "./executor.ts";
import { type GrantTools, untilOver } from "./grant.ts";

/** `region.freeze`, `region.unfreeze` and `region.promote`: which region begins effects. */
export function regionWrites(tools: GrantTools): readonly Executor<DrillInForce>[] {
  return [freezes(tools), unfreezes(tools), promotes(tools)];
}

/** Release of the service, which no drill changes. */
function holderOf(grants: GrantDesk, service: string): string {
  const holder = grants.holderOf(service);
  if (holder !== null) return holder;
  const advice = "it gets a release with its first rollout or cutover";
  throw new DriverError("rejected", "never", `nobody serves ${service} yet, so nobody acts on its effects; ${advice}`);
}

function freezes(tools: GrantTools): Executor<DrillInForce> {
  const { grants, clock } = tools;
  return executor<FreezeWritesOrder["args"], void, DrillInForce>({
    port: "region",
    verb: "freeze",
    args: freezingWrites,
    retry: A_MOMENT,
    apply: (order, { plan }) =>
      grants.say(plan.service, order, plan.drillId, () => ({
        holder: holderOf(grants, plan.service),
        frozenUntil: epochMs(clock.wallMs() + order.args.forMs),
      })),
    verify: (_, { withinMs }, { plan }, signal) =>
      untilOver(tools, plan.service, ({ role }) => role === "producer", withinMs, signal),
  });
}

function unfreezes({ grants }: GrantTools): Executor<DrillInForce> {
  return executor<UnfreezeWritesOrder["args"], void, DrillInForce>({
    port: "region",
    verb: "unfreeze",
    args: nothing,
    retry: A_MOMENT,
    apply: (order, { plan }) =>
      grants.say(plan.service, order, plan.drillId, () => ({
        holder: holderOf(grants, plan.service),
        frozenUntil: null,
      })),
    verify: () => Promise.resolve(DONE),
  });
}

function promotes(tools: GrantTools): Executor<DrillInForce> {
  const { grants } = tools;
  return executor<PromoteRegionOrder["args"], void, DrillInForce>({
    port: "region",
    verb: "promote",
    args: promoting,
    retry: A_MOMENT,
    apply: (order, { plan }) =>
      grants.say(plan.service, order, plan.drillId, (before) => ({
        holder: holderOf(grants, plan.service),
        frozenUntil: before?.frozenUntil ?? null,
        region: order.args.to,
      })),
    verify: (_, { withinMs, args }, { plan }, signal) =>
      untilOver(tools, plan.service, ({ region }) => region !== args.to, withinMs, signal),
  });
}
