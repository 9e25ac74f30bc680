/** Checks that gate the start of a drill, by the names of its plan file. @source page 004 */
export const PRE_CHECKS = ["env_parity", "index_hash_equal", "queue_empty", "cache_warm"] as const;
/** Checks while users are away from the region, and at each share of their way home. */
export const LIVE_CHECKS = ["p95_latency", "error_rate", "queue_backlog", "ΔS_probe", "λ_state", "index_hash"] as const;
/** Checks that close a drill. */
export const POST_CHECKS = ["answers_equal", "contracts_equal", "backlog_zero", "cache_rewarmed"] as const;

export type PreCheck = (typeof PRE_CHECKS)[number];
export type LiveCheck = (typeof LIVE_CHECKS)[number];
export type PostCheck = (typeof POST_CHECKS)[number];
export type CheckName = PreCheck | LiveCheck | PostCheck;

export const CHECK_NAMES: readonly CheckName[] = [...PRE_CHECKS, ...LIVE_CHECKS, ...POST_CHECKS];

/** What each check asks, for a person who reads the plan, and what a region must have for it. */
export const CHECKS: Readonly<Record<CheckName, { readonly asks: string; readonly needs: CheckNeed }>> = {
  env_parity: { asks: "every version pin of both regions is the same", needs: "health" },
  index_hash_equal: { asks: "both regions are ready and state one INDEX_HASH, METRIC and ANALYZER", needs: "health" },
  queue_empty: { asks: "the backlog of each region's queue is below its limit", needs: "queue" },
  cache_warm: { asks: "each region's cache holds the hot keys of the others", needs: "cache" },
  p95_latency: { asks: "p95 of the region that serves is within its bound of the time before", needs: "traffic" },
  error_rate: { asks: "users meet no more errors than the bound", needs: "traffic" },
  queue_backlog: { asks: "the backlog of the region that serves stays below its limit", needs: "queue" },
  ΔS_probe: { asks: "what is retrieved for the probe questions stays near them", needs: "probe" },
  λ_state: { asks: "the probe questions converge as well as in the region before", needs: "probe" },
  index_hash: { asks: "the region that serves still states the contract of the start", needs: "health" },
  answers_equal: { asks: "the probe questions get the same citations and outcome in both regions", needs: "probe" },
  contracts_equal: { asks: "both regions state the same contract, field by field", needs: "health" },
  backlog_zero: { asks: "the backlog is back at what it was before", needs: "queue" },
  cache_rewarmed: { asks: "the cache of the region that came back holds the hot keys again", needs: "cache" },
};

/** What a check reads. */
export type CheckNeed = "health" | "queue" | "cache" | "traffic" | "probe";
