import type { RolloutPlan } from "../../core/stage/plan.ts";
import { type Executors, executorsOf } from "./carry-out.ts";
import { comparing, type HealthTools } from "./health.ts";
import { probing, type ProbeTools } from "./probe.ts";
import { publishing, type TrafficTools } from "./traffic.ts";

export type OrderTools = TrafficTools & HealthTools & ProbeTools;

/** Everything that a rollout's orders are carried out by. */
export function rolloutOrders(tools: OrderTools): Executors<RolloutPlan> {
  return executorsOf([publishing(tools), comparing(tools), probing(tools)]);
}
