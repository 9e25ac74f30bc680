import type { CutoverPlan } from "../../core/cutover/plan.ts";
import type { Resources } from "../resources.ts";
import { cacheOrders } from "./cache.ts";
import { type Executors, executorsOf } from "./carry-out.ts";
import { type GrantTools, grantOrders } from "./grant.ts";
import { comparing, type HealthTools } from "./health.ts";
import { indexOrders } from "./index.ts";
import { probing, type ProbeTools } from "./probe.ts";
import { queueOrders } from "./queue.ts";
import { publishing, type TrafficTools } from "./traffic.ts";

export type CutoverTools = TrafficTools & HealthTools & ProbeTools & GrantTools & { readonly resources: Resources };

/** Everything that a cutover's orders are carried out by. */
export function cutoverOrders(tools: CutoverTools): Executors<CutoverPlan> {
  const { clock, resources } = tools;
  return executorsOf<CutoverPlan>([
    publishing(tools),
    comparing(tools),
    probing(tools),
    ...grantOrders(tools),
    ...cacheOrders<CutoverPlan>({
      clock,
      openCache: (plan, signal) => resources.openCache(plan, signal),
      askWarm: resources.askWarm,
    }),
    ...indexOrders<CutoverPlan>({ clock, openIndex: (plan, signal) => resources.openIndex(plan, signal) }),
    ...queueOrders<CutoverPlan>({ clock, openQueue: (plan, signal) => resources.openQueue(plan, signal) }),
  ]);
}
