/** Shapes shared by the modules of this benchmark; used from JSDoc only. */

/** What one arm did in one interval, before any rounding a metrics store would add. */
export interface ArmSample {
  readonly requests: number;
  readonly failures: number;
  /** Latencies of answers that did not fail, warm and cold together, in no order; in ms. */
  readonly latenciesMs: readonly number[];
}

/**
 * What a peer can ask its metrics store at the end of one of its intervals. An arm is null when the store has no series
 * of it at all, which is not the same as an arm without requests.
 */
export interface IntervalSample {
  /** Seconds since the candidate's first share, at the end of the interval. */
  readonly endS: number;
  readonly lengthS: number;
  readonly stable: ArmSample | null;
  readonly candidate: ArmSample | null;
  /** Mean coverage of one run of the gold set asked of the candidate; null when there is no gold set. */
  readonly coverage: number | null;
}

/** `hold` is final: the rollout waits for a person. null: not decided yet. */
export type Decision = "abort" | "promote" | "hold" | null;

/** Shares of all traffic that reach the two arms the rule looks at, 0..1. */
export interface Shares {
  readonly stable: number;
  readonly candidate: number;
}

/** A peer's decision rule: pure, over samples of `sampleS` seconds. */
export interface Rule<Config, State> {
  readonly name: string;
  sampleS(config: Config): number;
  start(config: Config): State;
  observe(state: State, sample: IntervalSample): State;
  decision(state: State): Decision;
  shares(state: State): Shares;
}

/** A number a rule compares with a limit; null when the store returns nothing, NaN for 0/0. */
export type MetricName = "success-rate" | "p95-ms" | "p99-ms" | "p95-ratio" | "coverage";
