import type { DrillInForce } from "../../core/drill/plan.ts";
import type { DrillTools } from "./drill-tools.ts";
import { type Executors, executorsOf } from "./carry-out.ts";
import { regionChecks } from "./region-checks.ts";
import { regionFaults } from "./region-faults.ts";
import { regionRepairs } from "./region-repair.ts";
import { regionRoutes } from "./region-routes.ts";
import { regionWatches } from "./region-watch.ts";
import { regionWrites } from "./region-writes.ts";

/** Everything that a drill's orders are carried out by. */
export function drillOrders(tools: DrillTools): Executors<DrillInForce> {
  return executorsOf<DrillInForce>([
    regionChecks(tools),
    ...regionWrites(tools),
    ...regionRoutes(tools),
    ...regionWatches(tools),
    ...regionRepairs(tools),
    ...regionFaults(tools),
  ]);
}
