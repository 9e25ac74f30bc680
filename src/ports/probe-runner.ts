import type { ProbeReport } from "../core/measure/report.ts";
import type { RolloutPlan } from "../core/stage/plan.ts";

export interface ProbeOrder {
  readonly plan: RolloutPlan;
  readonly tier: "smoke" | "full";
  readonly extraRepeats: number;
}

/** Asks the gold set of both arms. Only reads, so running it again is safe. Rejects with DriverError. */
export interface ProbeRunner {
  run(order: ProbeOrder, signal: AbortSignal): Promise<ProbeReport>;
}
