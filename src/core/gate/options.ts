import type { Bp } from "../unit.ts";

/**
 * A bound that tightens as more users are exposed: shares below 10 %, from 10 % to below 50 %, and from 50 % on.
 * @source decision-policy.md, "Margins"
 */
export interface ByShare {
  readonly under10: number;
  readonly under50: number;
  readonly from50: number;
}

/** The bound in force at a share. */
export function boundAt(bounds: ByShare, candidateBp: Bp): number {
  if (candidateBp < 1_000) return bounds.under10;
  return candidateBp < 5_000 ? bounds.under50 : bounds.from50;
}

export interface ErrorRateOptions {
  /** Promised probability of stopping a healthy candidate, over the whole rollout. */
  readonly alpha: number;
  /** Probability of calling harm beyond the margin excluded when it is not. */
  readonly beta: number;
  /** Absolute difference of failure shares that must be excluded before promotion; 0.01 is one point. */
  readonly margin: ByShare;
  /** Least candidate requests before promotion. */
  readonly minSamples: number;
}

export interface NewErrorClassOptions {
  /** A class seen only on the candidate counts as new when chance would explain it with at most this probability. */
  readonly alpha: number;
  /** Above this probability such a class is put down to chance; between the two the stage holds. */
  readonly beta: number;
}

export interface P95WarmOptions {
  readonly alpha: number;
  readonly beta: number;
  /** Ratio candidate/stable that is tolerated; harm is a higher one. */
  readonly harmRatio: number;
  /** Ratio that must be excluded before promotion. */
  readonly margin: ByShare;
  readonly minSamples: number;
}

export interface DeltaSOptions {
  /** Calibrated median the candidate must not exceed, when stable itself meets it. */
  readonly limit: number;
  /** Calibrated median that stops the candidate, when stable's is below it. */
  readonly stop: number;
  /** Paired drift (candidate - stable) that must be excluded before promotion. */
  readonly driftMargin: ByShare;
  /** Paired drift that stops when proven. */
  readonly driftStop: number;
  /** Rise of the set's p95 that stops. */
  readonly p95DriftStop: number;
}

export interface CoverageOptions {
  /** Mean coverage the candidate must reach. */
  readonly level: number;
  /** Mean coverage that stops when even the interval's upper bound is below it. */
  readonly stop: number;
  /** Paired drop that must be excluded before promotion. */
  readonly dropMargin: ByShare;
  /** Paired drop that stops when proven. */
  readonly dropStop: number;
  /** A topic stops when its upper bound is below this, or its estimate below `topicFloor`. */
  readonly topicLevel: number;
  readonly topicFloor: number;
}

export interface LambdaOptions {
  /** `paired`: no worse than stable. `strict` and `loose`: also an absolute level (definitions.md §5). */
  readonly level: "paired" | "strict" | "loose";
  /** Rise of the flip rate and fall of the convergent share that must be excluded before promotion. */
  readonly margin: ByShare;
  /** Rise of the flip rate that stops when proven. */
  readonly increaseStop: number;
  /** Flip rate that stops, when stable's is lower. */
  readonly flipRateStop: number;
}

export interface SchemaViolationOptions {
  /** Share of probe answers that may break the contract. */
  readonly maxShare: number;
}

type ParityOptions = Readonly<Record<string, never>>;

/** Options of every gate by its name. */
export interface GateOptions {
  readonly "schema-violation": SchemaViolationOptions;
  readonly parity: ParityOptions;
  readonly "error-rate": ErrorRateOptions;
  readonly "new-error-class": NewErrorClassOptions;
  readonly "p95-warm": P95WarmOptions;
  readonly "delta-s": DeltaSOptions;
  readonly coverage: CoverageOptions;
  readonly lambda: LambdaOptions;
}

export type GateName = keyof GateOptions;
