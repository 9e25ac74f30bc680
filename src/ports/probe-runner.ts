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
  /**
   * A few questions to both arms before a rollout is accepted; null when probes can begin. Rejects with DriverError
   * when the plan's files or credentials cannot be used.
   */
  smoke(plan: RolloutPlan, signal: AbortSignal): Promise<SmokeProblem | null>;
}

/** `unanswered`: an arm gives no answer at all. `unfit`: answers come, and mapping or gold set do not fit them. */
export interface SmokeProblem {
  readonly kind: "unanswered" | "unfit";
  /** What was found, in the words of what failed, without secrets. */
  readonly reason: string;
}
