import type { CutoverSummary } from "./cutover/summary.ts";

/** One rollout of the demo, as the last line of its output tells it. @source contracts.md, "sluice demo" */
export interface RolloutSummary {
  readonly name: string;
  readonly scenario: string;
  readonly outcome: "promoted" | "rolled-back" | "held" | "aborted";
  readonly stage: string;
  readonly cause: {
    readonly gate: string;
    readonly verdict: string;
    readonly estimate: number | null;
    readonly threshold: number | null;
  } | null;
  readonly requests: number;
  readonly failed_by_router: number;
  readonly sticky_violations: number;
  readonly candidate_requests: number;
  readonly detect_ms: number | null;
  readonly rollback_ms: number | null;
  readonly report: string;
}

export interface DemoSummary {
  readonly type: "summary";
  readonly ok: boolean;
  readonly seed: number;
  readonly rollouts: readonly RolloutSummary[];
  readonly cutovers: readonly CutoverSummary[];
}
