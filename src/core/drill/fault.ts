/** Drills by the letters of the page. @source page 004, "Drill types you should run" */
export const DRILL_TYPES = ["A", "B", "C", "D", "E"] as const;
type DrillType = (typeof DRILL_TYPES)[number];

export const SKEW_FIELDS = ["METRIC", "ANALYZER", "INDEX_HASH"] as const;

/**
 * What a drill does to the region that it evacuates. `brownout`: its answers take longer, and a share of its
 * connections fails; `blackhole`: nothing goes in or out, of what is open already too; `skew`: it states another
 * metric, analyzer or hash; `reroute`: what it emits does not leave it.
 */
export type Fault =
  | { readonly kind: "brownout"; readonly delayMs: number; readonly errorShare: number }
  | { readonly kind: "blackhole" }
  | { readonly kind: "skew"; readonly field: (typeof SKEW_FIELDS)[number] }
  | { readonly kind: "reroute" };

/** The fault of a drill, and which check has to notice it before the drill goes on. */
export interface DrillFault {
  readonly type: DrillType;
  /** Null: type E, in which nothing is broken but the way home is walked. */
  readonly fault: Fault | null;
  /** Address of the agent that applies it; null without a fault. */
  readonly agentUrl: string | null;
}

/** A fault ends by itself so long after its last renewal, whatever became of the controller. */
export const FAULT_LEASE_MS = 5_000;

/** Which check has to say that something is wrong; null: the fault is none that a check of regions can see. */
export function noticedBy(fault: Fault): "p95_latency" | "index_hash" | "contracts_equal" | null {
  switch (fault.kind) {
    case "brownout":
      return "p95_latency";
    case "blackhole":
      return "index_hash";
    case "skew":
      return "contracts_equal";
    case "reroute":
      return null;
  }
}
